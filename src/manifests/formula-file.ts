import { parse, TomlError } from "smol-toml";
import type { Formula, FormulaStep } from "../domain/formulas/formula.ts";
import { messageOf } from "../errors/town-error.ts";
import { isRecord } from "../resource/equality.ts";
import { findCycles } from "./cycles.ts";
import { fieldText } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import { type KeyRemark, keyRemark } from "./formula-keys.ts";
import type { Problem } from "./problem.ts";
import { byPlace } from "./problem.ts";
import { didYouMean } from "./suggestion.ts";
import { TomlPlaces } from "./toml-places.ts";
import { parseYaml } from "./yaml-document.ts";

type Table = Readonly<Record<string, unknown>>;

/** A formula file as read. */
export interface FormulaFile {
  /** Undefined when an Error keeps it from being used. */
  readonly formula?: Formula;
  /** Everything that the file states, also what has no effect yet; undefined when it does not parse. */
  readonly stated?: Table;
  /** Errors, and warnings about keys without effect; by place. Line 0: the whole file. */
  readonly problems: readonly Problem[];
}

interface Text {
  readonly value: unknown;
  readonly placeOf: (path: FieldPath) => { readonly line: number; readonly column: number };
}

/** Largest formula file, in characters. The largest known one has 150,000. */
const MAX_FORMULA_SIZE = 1024 * 1024;

/**
 * Reads a formula (`*.formula.toml`, `*.toml`, `*.formula.json`): steps with needs and acceptance, and variables. Pure;
 * never throws; linear in the number of steps. Keys of the language that do nothing yet are warnings with their place,
 * so that nothing in a file is passed over in silence.
 */
export function loadFormula(path: string, text: string): FormulaFile {
  const read = readText(path, text);
  if ("problem" in read) return { problems: [read.problem] };
  const check = new FormulaCheck(path, read);
  const formula = check.formula();
  const problems = [...check.problems].sort(byPlace);
  return {
    ...(formula === undefined || check.failed ? {} : { formula }),
    ...(isRecord(read.value) ? { stated: read.value } : {}),
    problems,
  };
}

function readText(path: string, text: string): Text | { readonly problem: Problem } {
  const problem = (
    place: { readonly line: number; readonly column: number },
    reason: string,
    message: string,
  ): { readonly problem: Problem } => ({
    problem: { path, line: place.line, column: place.column, severity: "Error", reason, message },
  });
  if (text.length > MAX_FORMULA_SIZE)
    return problem({ line: 0, column: 0 }, "FileTooLarge", "the file is larger than 1 MiB");
  if (/\.json$/i.test(path)) {
    // JSON is YAML, and that parser tells places.
    const document = parseYaml({ text, line: 1, hasContent: true });
    const [fault] = document.faults;
    return fault === undefined
      ? { value: document.value, placeOf: (at) => document.placeOf(at, "Value") }
      : problem(fault, fault.reason, fault.message);
  }
  try {
    const places = new TomlPlaces(text);
    return { value: parse(text), placeOf: (at) => places.of(at) };
  } catch (error) {
    const place = error instanceof TomlError ? { line: error.line, column: error.column } : { line: 0, column: 0 };
    return problem(
      place,
      "TomlInvalid",
      `the file is not valid TOML: ${(messageOf(error).split("\n")[0] ?? "").replace(/^Invalid TOML document: /, "")}`,
    );
  }
}

class FormulaCheck {
  readonly problems: Problem[] = [];
  readonly #path: string;
  readonly #text: Text;

  constructor(path: string, text: Text) {
    this.#path = path;
    this.#text = text;
  }

  get failed(): boolean {
    return this.problems.some((problem) => problem.severity === "Error");
  }

  formula(): Formula | undefined {
    const { value } = this.#text;
    if (!isRecord(value)) {
      this.#error([], "FormulaInvalid", "the file must be a table with `formula` and `steps`");
      return undefined;
    }
    this.#remarks("Formula", value, []);
    const name = this.#required(value, "formula", []);
    const version = this.#version(value);
    const variables = this.#variables(value["vars"]);
    const steps = this.#steps(value);
    this.#order(steps);
    return {
      name,
      description: this.#optional(value, "description", []) ?? "",
      version,
      source: this.#path,
      variables,
      steps: steps.map(({ step }) => step),
    };
  }

  #version(value: Table): number {
    const version = value["version"] ?? 1;
    if (typeof version === "number" && Number.isInteger(version) && version >= 1) return version;
    this.#error(["version"], "FieldInvalid", "`version` must be a whole number greater than or equal to 1");
    return 1;
  }

  #variables(value: unknown): Formula["variables"] {
    const variables: Record<string, { default?: string; required?: boolean; description?: string }> = {};
    if (value === undefined) return variables;
    if (!isRecord(value)) {
      this.#error(["vars"], "FieldInvalid", "`vars` must be a table of variables");
      return variables;
    }
    for (const [name, variable] of Object.entries(value)) {
      const path = ["vars", name];
      if (typeof variable === "string") variables[name] = { default: variable };
      else if (isRecord(variable)) variables[name] = this.#variable(variable, path);
      else this.#error(path, "FieldInvalid", `\`${fieldText(path)}\` must be a default as text, or a table`);
    }
    return variables;
  }

  #variable(variable: Table, path: FieldPath): { default?: string; required?: boolean; description?: string } {
    this.#remarks("Variable", variable, path);
    const { required } = variable;
    const initial = this.#optional(variable, "default", path);
    const description = this.#optional(variable, "description", path);
    if (required !== undefined && typeof required !== "boolean")
      this.#error(
        [...path, "required"],
        "FieldInvalid",
        `\`${fieldText([...path, "required"])}\` must be true or false`,
      );
    if (required === true && initial !== undefined)
      this.#error(
        [...path, "required"],
        "VariableRequiredWithDefault",
        `\`${fieldText(path)}\` must not be required and have a default`,
        "Remove one of them.",
      );
    return {
      ...(initial === undefined ? {} : { default: initial }),
      ...(required === true ? { required } : {}),
      ...(description === undefined ? {} : { description }),
    };
  }

  #steps(value: Table): readonly { readonly step: FormulaStep; readonly path: FieldPath }[] {
    const { steps, type } = value;
    if (!Array.isArray(steps) || steps.length === 0) {
      const kind = typeof type === "string" && type !== "workflow" ? ` ('${type}' formulas are not yet in effect)` : "";
      this.#error(["steps"], "FieldMissing", `\`steps\` must have at least 1 item${kind}`);
      return [];
    }
    return steps.flatMap((step: unknown, index) => {
      const path = ["steps", index];
      if (isRecord(step)) return [{ step: this.#step(step, path), path }];
      this.#error(path, "FieldInvalid", `\`${fieldText(path)}\` must be a table`);
      return [];
    });
  }

  #step(step: Table, path: FieldPath): FormulaStep {
    this.#remarks("Step", step, path);
    const acceptance = this.#optional(step, "acceptance", path);
    return {
      id: this.#required(step, "id", path),
      title: this.#required(step, "title", path),
      description: (this.#optional(step, "description", path) ?? "").trim(),
      needs: [...new Set([...this.#names(step, "needs", path), ...this.#names(step, "depends_on", path)])],
      ...(acceptance === undefined ? {} : { acceptance }),
    };
  }

  /** Ids are unique, needs exist, and there is an order. */
  #order(steps: readonly { readonly step: FormulaStep; readonly path: FieldPath }[]): void {
    const first = new Map<string, FieldPath>();
    for (const { step, path } of steps) {
      const former = first.get(step.id);
      if (step.id === "") continue;
      if (former === undefined) first.set(step.id, path);
      else
        this.#error(
          [...path, "id"],
          "StepRepeated",
          `step '${step.id}' is there twice; the other is in line ${this.#text.placeOf([...former, "id"]).line}`,
          "Give one of them another id.",
        );
    }
    for (const { step, path } of steps) {
      for (const need of step.needs) {
        if (first.has(need)) continue;
        this.#error(
          [...path, "needs"],
          "NeedUnknown",
          `step '${step.id}' needs '${need}', which is no step of this formula`,
          didYouMean(need, first.keys()),
        );
      }
    }
    const needs = new Map(steps.map(({ step }) => [step.id, step.needs]));
    for (const cycle of findCycles([...first.keys()], (id) => needs.get(id) ?? [])) {
      const shown = cycle.length > 12 ? [...cycle.slice(0, 10), "…", ...cycle.slice(-1)] : cycle;
      this.#error(
        [...(first.get(cycle[0] ?? "") ?? []), "needs"],
        "StepCycle",
        `steps need each other in a circle: ${shown.join(" → ")}`,
        "Remove one of these needs.",
      );
    }
  }

  #required(table: Table, key: string, path: FieldPath): string {
    const value = table[key];
    if (typeof value === "string" && value.trim() !== "") return value;
    this.#error(
      [...path, key],
      value === undefined ? "FieldMissing" : "FieldInvalid",
      `\`${fieldText([...path, key])}\` must be ${value === undefined ? "set" : "text that is not empty"}`,
    );
    return "";
  }

  #optional(table: Table, key: string, path: FieldPath): string | undefined {
    const value = table[key];
    if (value === undefined || typeof value === "string") return value;
    const hint = typeof value === "number" || typeof value === "boolean" ? `Quote it: "${value}".` : undefined;
    this.#error([...path, key], "FieldInvalid", `\`${fieldText([...path, key])}\` must be text`, hint);
    return undefined;
  }

  #names(table: Table, key: string, path: FieldPath): readonly string[] {
    const value = table[key] ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    this.#error([...path, key], "FieldInvalid", `\`${fieldText([...path, key])}\` must be a list of step ids`);
    return [];
  }

  #remarks(place: Parameters<typeof keyRemark>[0], table: Table, path: FieldPath): void {
    for (const key of Object.keys(table)) {
      const remark: KeyRemark | undefined = keyRemark(place, key);
      if (remark !== undefined)
        this.#add(
          "Warning",
          [...path, key],
          remark.reason,
          `\`${fieldText([...path, key])}\` ${remark.text}`,
          remark.hint,
        );
    }
  }

  #error(path: FieldPath, reason: string, message: string, hint?: string): void {
    this.#add("Error", path, reason, message, hint);
  }

  #add(severity: Problem["severity"], path: FieldPath, reason: string, message: string, hint?: string): void {
    this.problems.push({
      path: this.#path,
      ...this.#text.placeOf(path),
      severity,
      reason,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
