import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { AdapterError } from "../../errors/town-error.ts";
import type { GitCommand } from "./git-command.ts";
import { KeyedMutex } from "./mutex.ts";
import { mergedPlainConfig } from "./plain-config.ts";

/** The configuration of one repository: read with everything that applies to it, written to its own file. */
export class RepositoryConfig {
  readonly #command: GitCommand;
  readonly #gitDirectory: string;
  readonly #mutex = new KeyedMutex();
  /** The files that hold all there is, the last counts most; undefined when only git knows. */
  readonly #files: readonly string[] | undefined;

  /** `globalFiles`: those that apply to every repository, where this one is plain. */
  constructor(command: GitCommand, gitDirectory: string, globalFiles: readonly string[] | undefined) {
    this.#command = command;
    this.#gitDirectory = gitDirectory;
    this.#files = globalFiles === undefined ? undefined : [...globalFiles, join(gitDirectory, "config")];
  }

  /** The last value of a key, or undefined. */
  async read(key: string): Promise<string | undefined> {
    const plain = this.#plain([key]);
    if (plain !== undefined) return plain.get(key);
    const { exitCode, stdout } = await this.#run(["config", "-z", "--get", key], `read ${key}`, [0, 1]);
    return exitCode === 0 ? stdout.toString("utf8").replace(/\0$/, "") : undefined;
  }

  /** The last values of some keys. */
  async readAll(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return this.#plain(keys) ?? this.#ask(keys);
  }

  /** Without asking git; undefined when it must be asked. */
  #plain(keys: readonly string[]): ReadonlyMap<string, string> | undefined {
    // Keys are alike in any case but for a part in the middle, which none that is asked for here has.
    if (this.#files === undefined || keys.some((key) => !/^[a-z]+\.[a-z]+$/.test(key))) return undefined;
    const config = mergedPlainConfig(this.#files);
    if (config === undefined) return undefined;
    const values = new Map<string, string>();
    for (const key of keys) {
      const value = config.get(key)?.at(-1);
      if (value === null) return undefined;
      if (value !== undefined) values.set(key, value);
    }
    return values;
  }

  async #ask(keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const pattern = `^(${keys.map((key) => key.replaceAll(".", "\\.")).join("|")})$`;
    const args = ["config", "-z", "--get-regexp", pattern];
    const { exitCode, stdout } = await this.#run(args, `read ${keys.join(", ")}`, [0, 1]);
    const values = new Map<string, string>();
    for (const entry of exitCode === 0 ? stdout.toString("utf8").split("\0") : []) {
      const end = entry.indexOf("\n");
      if (end > 0) values.set(entry.slice(0, end), entry.slice(end + 1));
    }
    return values;
  }

  /** Replaces all values of a key; null removes it. git's config file has a lock but git does not wait for it. */
  async write(key: string, value: string | null): Promise<void> {
    const args =
      value === null ? ["config", "--local", "--unset-all", key] : ["config", "--local", "--replace-all", key, value];
    await this.#mutex.run("", async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          // 5: there was nothing to remove.
          await this.#run(args, `set ${key}`, value === null ? [0, 5] : [0]);
          return;
        } catch (error) {
          const locked = error instanceof AdapterError && /could not lock config file/.test(error.message);
          if (!locked || attempt === 8) throw error;
        }
        await sleep(25 * attempt * (1 + Math.random()));
      }
    });
  }

  #run(args: readonly string[], doing: string, answers: readonly number[]) {
    return this.#command.run(args, {
      place: { gitDirectory: this.#gitDirectory },
      doing: `${doing} in the configuration of ${this.#gitDirectory}`,
      answers,
      asConfigured: true,
    });
  }
}
