import { join } from "node:path";
import { cook } from "../domain/formulas/cook.ts";
import type { Formula } from "../domain/formulas/formula.ts";
import { type FormulaFile, loadFormula } from "../manifests/formula-file.ts";
import { formulaLibrary, type LibraryEntry } from "../manifests/formula-library.ts";
import { isFormulaFile } from "../manifests/formula-text.ts";
import { type Problem, problemText } from "../manifests/problem.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Objects } from "../ports/objects.ts";
import type { Formulas } from "../ports/loop-ports.ts";
import { type ConditionIntent, conditionsOf, mergeConditions } from "../resource/condition.ts";

/** The formula files of several directories, nearest first. */
export async function readFormulaFiles(files: Files, directories: readonly string[]): Promise<readonly FormulaFile[]> {
  const read: FormulaFile[] = [];
  for (const directory of directories)
    for (const name of (await files.list(directory)).filter(isFormulaFile).toSorted())
      read.push(loadFormula(join(directory, name), (await files.readText(join(directory, name))) ?? ""));
  return read;
}

/** Formulas of several directories, nearest first; a broken file keeps its last good version. */
export class FormulaFiles implements Formulas {
  readonly #files: Files;
  readonly #directories: readonly string[];
  readonly #log: Log;
  readonly #clock: Clock;
  #entries: ReadonlyMap<string, LibraryEntry> = new Map();
  #formulas: ReadonlyMap<string, Formula> = new Map();

  constructor(files: Files, directories: readonly string[], by: { readonly log: Log; readonly clock: Clock }) {
    this.#files = files;
    this.#directories = directories;
    this.#log = by.log;
    this.#clock = by.clock;
  }

  get(name: string): Formula | undefined {
    return this.#formulas.get(name);
  }

  names(): readonly string[] {
    return [...this.#formulas.keys()].toSorted();
  }

  /** Shows all formulas as objects, broken ones with what is wrong; those that are gone are removed. */
  async show(objects: Objects): Promise<void> {
    for (const shown of objects.list("Formula")) {
      if (!this.#entries.has(shown.metadata.name))
        await objects.publish({ kind: "Formula", name: shown.metadata.name }, undefined);
    }
    for (const entry of this.#entries.values()) {
      const key = { kind: "Formula", name: entry.name };
      const former = conditionsOf(objects.get(key));
      const formula = this.#formulas.get(entry.name);
      const at = { now: this.#clock.now(), generation: 1, owned: new Set(["Ready"]) };
      const conditions = mergeConditions(former, [readyCondition(entry, formula)], at);
      await objects.publish(key, { spec: shownSpec(entry, formula), status: { conditions } });
    }
  }

  /** Reads all directories anew. */
  async load(): Promise<void> {
    const entries = formulaLibrary(await readFormulaFiles(this.#files, this.#directories));
    const formulas = new Map<string, Formula>();
    for (const [name, { path, formula, problems }] of entries) {
      const kept = formula ?? this.#formulas.get(name);
      if (kept !== undefined) formulas.set(name, kept);
      for (const { line, column, message, severity } of problems)
        if (severity === "Error") this.#log.error({ path, line, column, problem: message }, "a formula cannot be used");
    }
    this.#entries = entries;
    this.#formulas = formulas;
  }
}

function shownSpec(entry: LibraryEntry, formula: Formula | undefined): Readonly<Record<string, unknown>> {
  const steps = formula === undefined ? [] : (cook(formula, { values: {}, lenient: true }).protomolecule?.steps ?? []);
  return {
    description: entry.document?.description ?? "",
    version: entry.document?.version ?? 1,
    source: entry.path,
    steps: steps.map(({ id, title, needs }) => ({ id, title, needs })),
  };
}

function readyCondition(entry: LibraryEntry, formula: Formula | undefined): ConditionIntent {
  const errors = entry.problems.filter((problem) => problem.severity === "Error");
  const [first, ...more] = errors;
  const told = (problem: Problem): string =>
    `${problemText(problem)}${more.length === 0 ? "" : ` (and ${more.length} more)`}`;
  return {
    type: "Ready",
    status: first === undefined ? "True" : "False",
    reason: first === undefined ? "Loaded" : first.reason,
    message:
      first === undefined
        ? `loaded from ${entry.path}`
        : `${formula === undefined ? "" : "its last good version is in force; "}${told(first)}`,
  };
}
