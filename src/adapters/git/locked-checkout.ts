import { createHash } from "node:crypto";
import { copyFile, lstat, mkdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AdapterError } from "../../errors/town-error.ts";
import type { CheckoutPath, FileVersion, LockedCheckout } from "../../ports/checkout.ts";
import { codeOf } from "../error-code.ts";
import { diskFailure, syncDirectory, unlessMissing, writeDurably } from "./disk.ts";
import type { GitCommand } from "./git-command.ts";
import { type IndexFileEntry, isFresh, modeOf, readIndex, statBytes, writeIndex } from "./index-file.ts";

export interface LockedCheckoutOptions {
  readonly path: string;
  readonly gitDirectory: string;
  readonly command: GitCommand;
  readonly hash: "sha1" | "sha256";
  readonly unlock: () => Promise<void>;
}

/** `LockedCheckout` over the files of git; git itself runs only for forms of index that are not read here. */
export class NodeLockedCheckout implements LockedCheckout {
  readonly path: string;
  readonly #options: LockedCheckoutOptions;
  #released = false;

  constructor(options: LockedCheckoutOptions) {
    this.path = options.path;
    this.#options = options;
  }

  async inspect(paths: readonly string[]): Promise<ReadonlyMap<string, CheckoutPath>> {
    return this.#guarded("look at the index", async () => {
      const entries = await this.#entries(paths);
      const found = new Map<string, CheckoutPath>();
      for (const path of paths) {
        const own = entries.filter((entry) => entry.path.toString("utf8") === path);
        const [first] = own;
        const index =
          first === undefined
            ? undefined
            : own.some((entry) => entry.stage !== 0)
              ? "Unmerged"
              : { mode: modeOf(first), id: first.id };
        found.set(path, { index, disk: await this.#onDisk(path, first) });
      }
      return found;
    });
  }

  async placeFile(path: string, file: { readonly text: string; readonly mode: string } | null): Promise<void> {
    await this.#guarded(`write ${path}`, async () => {
      await this.#refuseLinks(path);
      const target = join(this.path, path);
      if (file === null) {
        await rm(target, { force: true });
        await this.#removeEmptyAbove(path);
        return;
      }
      await mkdir(dirname(target), { recursive: true });
      // In the git directory: a killed write leaves nothing among the user's files.
      const temporary = join(this.#options.gitDirectory, `town-file-${process.pid}`);
      await rm(temporary, { force: true });
      const mode = file.mode === "100755" ? 0o777 : 0o666;
      try {
        await writeDurably(temporary, target, file.text, mode);
      } catch (error) {
        if (!isOtherFileSystem(error)) throw error;
        await writeDurably(`${target}.town-tmp`, target, file.text, mode);
      }
      await syncDirectory(dirname(target));
    });
  }

  async stage(changes: ReadonlyMap<string, FileVersion | null>): Promise<void> {
    await this.#guarded("write the index", async () => {
      const next = join(this.#options.gitDirectory, `town-index-${process.pid}`);
      await rm(next, { force: true });
      const entries = await this.#allEntries();
      if (entries === undefined) await this.#stageByGit(next, changes);
      else await this.#stageHere(next, entries, changes);
      await syncDirectory(this.#options.gitDirectory);
    });
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#options.unlock();
  }

  async #stageHere(
    next: string,
    entries: readonly IndexFileEntry[],
    changes: ReadonlyMap<string, FileVersion | null>,
  ): Promise<void> {
    const kept = entries.filter((entry) => !changes.has(entry.path.toString("utf8")));
    for (const [path, version] of changes) {
      if (version === null) continue;
      const facts = await unlessMissing(lstat(join(this.path, path), { bigint: true }));
      // Without a file git looks at the content again, which is what zeros ask for.
      const stat = facts?.isFile() === true ? statBytes(facts, version.mode) : statBytes(NOTHING, version.mode);
      kept.push({ path: Buffer.from(path), stat, id: version.id, stage: 0, assumeValid: false, extended: 0 });
    }
    await writeDurably(next, this.#index, writeIndex(kept, this.#options.hash), 0o644);
  }

  /** For indexes with parts that are not understood here: on a copy, since the lock is taken. */
  async #stageByGit(next: string, changes: ReadonlyMap<string, FileVersion | null>): Promise<void> {
    await copyFile(this.#index, next);
    const zero = "0".repeat(this.#options.hash === "sha1" ? 40 : 64);
    const input = [...changes]
      .map(([path, version]) => `${version === null ? `0 ${zero}` : `${version.mode} ${version.id}`}\t${path}\0`)
      .join("");
    await this.#git(["update-index", "-z", "--index-info"], { env: { GIT_INDEX_FILE: next }, input });
    await rename(next, this.#index);
  }

  async #allEntries(): Promise<readonly IndexFileEntry[] | undefined> {
    const bytes = await unlessMissing(readFile(this.#index));
    return bytes === undefined ? [] : readIndex(bytes, this.#options.hash === "sha1" ? 20 : 32);
  }

  async #entries(paths: readonly string[]): Promise<readonly IndexFileEntry[]> {
    const all = await this.#allEntries();
    const wanted = new Set(paths);
    if (all !== undefined) return all.filter((entry) => wanted.has(entry.path.toString("utf8")));
    const output = await this.#git(["ls-files", "-z", "-s", "--", ...paths], {});
    return output
      .split("\0")
      .slice(0, -1)
      .map((line) => {
        const [, mode = "", id = "", stage = "", path = ""] = /^(\d+) ([0-9a-f]+) (\d)\t(.*)$/s.exec(line) ?? [];
        return {
          path: Buffer.from(path),
          stat: statBytes(NOTHING, mode),
          id,
          stage: Number(stage),
          assumeValid: false,
          extended: 0,
        };
      });
  }

  async #onDisk(path: string, entry: IndexFileEntry | undefined): Promise<CheckoutPath["disk"]> {
    if (await this.#isBehindLink(path)) return "Other";
    const full = join(this.path, path);
    const facts = await unlessMissing(lstat(full, { bigint: true }));
    if (facts === undefined) return undefined;
    if (!facts.isFile()) return "Other";
    const mode = (facts.mode & 0o100n) === 0n ? "100644" : "100755";
    if (
      entry !== undefined &&
      modeOf(entry) === mode &&
      isFresh(entry, facts) &&
      (await this.#isOlderThanIndex(facts.mtimeNs))
    )
      return { mode, id: entry.id };
    const raw = this.#blobId(await readFile(full));
    if (entry === undefined || raw === entry.id) return { mode, id: raw };
    // Line ends and filters may make another blob of these bytes than they are themselves.
    const filtered = (
      await this.#git(["hash-object", `--path=${path}`, "--stdin"], { input: await readFile(full) })
    ).trim();
    return { mode, id: filtered };
  }

  /** A file written in the same instant as the index may have changed again without showing it. */
  async #isOlderThanIndex(mtimeNs: bigint): Promise<boolean> {
    const index = await unlessMissing(lstat(this.#index, { bigint: true }));
    return index !== undefined && mtimeNs < index.mtimeNs;
  }

  #blobId(content: Buffer): string {
    return createHash(this.#options.hash).update(`blob ${content.length}\0`).update(content).digest("hex");
  }

  async #isBehindLink(path: string): Promise<boolean> {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length += 1) {
      const found = await unlessMissing(lstat(join(this.path, ...parts.slice(0, length))));
      if (found === undefined) return false;
      if (!found.isDirectory()) return true;
    }
    return false;
  }

  async #refuseLinks(path: string): Promise<void> {
    if (path.split("/").includes("..") || (await this.#isBehindLink(path))) {
      throw new AdapterError(
        "PathLeavesCheckout",
        `Cannot write ${path} in ${this.path}: a part of the path is a link or a file.`,
        { hint: "Make it a plain directory." },
      );
    }
  }

  async #removeEmptyAbove(path: string): Promise<void> {
    for (let directory = dirname(path); directory !== "."; directory = dirname(directory)) {
      const removed = await rmdir(join(this.path, directory)).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  }

  async #git(
    args: readonly string[],
    options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string | Uint8Array },
  ): Promise<string> {
    const { command, gitDirectory, path } = this.#options;
    const { stdout } = await command.run(args, {
      place: { gitDirectory, worktree: path },
      doing: `work on the index of ${path}`,
      ...options,
    });
    return stdout.toString("utf8");
  }

  async #guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
    if (this.#released)
      throw new AdapterError("CheckoutReleased", `Cannot ${doing} of ${this.path}: its lock was released.`);
    try {
      return await work();
    } catch (error) {
      throw diskFailure(`${doing} of ${this.path}`, error);
    }
  }

  get #index(): string {
    return join(this.#options.gitDirectory, "index");
  }
}

const NOTHING = { ctimeNs: 0n, mtimeNs: 0n, dev: 0n, ino: 0n, uid: 0n, gid: 0n, size: 0n };

function isOtherFileSystem(error: unknown): boolean {
  return codeOf(error) === "EXDEV";
}
