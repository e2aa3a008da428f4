import { basename, join } from "node:path";
import type { Formula } from "../domain/formulas/formula.ts";
import { loadFormula } from "../manifests/formula-file.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Objects } from "../ports/objects.ts";
import type { Formulas } from "../ports/loop-ports.ts";

/** Formulas of several directories, nearest first; a broken file keeps its last good version. */
export class FormulaFiles implements Formulas {
  readonly #files: Files;
  readonly #directories: readonly string[];
  readonly #log: Log;
  #byName: ReadonlyMap<string, Formula> = new Map();

  constructor(files: Files, directories: readonly string[], log: Log) {
    this.#files = files;
    this.#directories = directories;
    this.#log = log;
  }

  get(name: string): Formula | undefined {
    return this.#byName.get(name);
  }

  names(): readonly string[] {
    return [...this.#byName.keys()].toSorted();
  }

  /** Shows all formulas as objects; those that are gone are removed. */
  async show(objects: Objects): Promise<void> {
    for (const shown of objects.list("Formula")) {
      if (!this.#byName.has(shown.metadata.name))
        await objects.publish({ kind: "Formula", name: shown.metadata.name }, undefined);
    }
    for (const formula of this.#byName.values()) {
      await objects.publish(
        { kind: "Formula", name: formula.name },
        {
          spec: {
            description: formula.description,
            version: formula.version,
            source: formula.source,
            steps: formula.steps.map(({ id, title, needs }) => ({ id, title, needs })),
          },
          status: {},
        },
      );
    }
  }

  /** Reads all directories anew. */
  async load(): Promise<void> {
    const found = new Map<string, Formula>();
    for (const directory of this.#directories) {
      for (const file of await this.#files.list(directory)) {
        if (!/\.(?:toml|formula\.json)$/.test(file)) continue;
        const path = join(directory, file);
        const { formula, problems } = loadFormula(path, (await this.#files.readText(path)) ?? "");
        for (const { line, column, message } of problems)
          this.#log.warn({ path, line, column, problem: message }, "a formula has a problem");
        const kept = formula ?? [...this.#byName.values()].find((former) => former.source === path);
        if (kept !== undefined && !found.has(kept.name)) found.set(kept.name, kept);
        else if (formula === undefined) this.#log.error({ path: basename(path) }, "a formula cannot be used");
      }
    }
    this.#byName = found;
  }
}
