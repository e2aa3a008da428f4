import { TownError } from "../../errors/town-error.ts";

export interface FormulaStep {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly needs: readonly string[];
  readonly acceptance?: string;
}

/** A formula as far as it is in effect: steps with needs, and variables with defaults. */
export interface Formula {
  readonly name: string;
  readonly description: string;
  readonly version: number;
  /** Where it was loaded from, for `formula show`. */
  readonly source: string;
  readonly variables: Readonly<
    Record<string, { readonly default?: string; readonly required?: boolean; readonly description?: string }>
  >;
  readonly steps: readonly FormulaStep[];
}

/** Steps in an order in which every step comes after its needs; file order where that allows it. Linear time. */
export function orderedSteps(formula: Formula): readonly FormulaStep[] {
  const byId = new Map(formula.steps.map((step) => [step.id, step]));
  const open = new Map(formula.steps.map((step) => [step.id, new Set(step.needs).size]));
  const dependents = new Map<string, string[]>();
  for (const step of formula.steps) {
    for (const need of new Set(step.needs)) {
      if (!byId.has(need))
        throw new TownError(
          "UnknownNeed",
          `formula ${formula.name}: step ${step.id} needs '${need}', which is no step of it`,
        );
      dependents.set(need, [...(dependents.get(need) ?? []), step.id]);
    }
  }
  const queue = formula.steps.filter((step) => open.get(step.id) === 0);
  const ordered: FormulaStep[] = [];
  for (let index = 0; index < queue.length; index += 1) {
    const step = queue[index];
    if (step === undefined) break;
    ordered.push(step);
    for (const next of dependents.get(step.id) ?? []) {
      const left = (open.get(next) ?? 0) - 1;
      open.set(next, left);
      const found = byId.get(next);
      if (left === 0 && found !== undefined) queue.push(found);
    }
  }
  if (ordered.length !== formula.steps.length) {
    const stuck = formula.steps.filter((step) => !ordered.includes(step)).map((step) => step.id);
    throw new TownError(
      "FormulaCycle",
      `formula ${formula.name}: steps need each other in a circle: ${stuck.slice(0, 5).join(", ")}`,
    );
  }
  return ordered;
}

/**
 * Steps with `{{name}}` replaced. Unknown placeholders are left as they are, as Gas Town does. Throws `MissingVariable`
 * when a required variable has no value.
 */
export function cook(formula: Formula, values: Readonly<Record<string, string>>): readonly FormulaStep[] {
  const known = new Map<string, string>();
  for (const [name, variable] of Object.entries(formula.variables)) {
    const value = values[name] ?? variable.default;
    if (value === undefined && variable.required === true) {
      throw new TownError("MissingVariable", `formula ${formula.name}: variable '${name}' is required`, {
        hint: `give it with --var ${name}=…`,
      });
    }
    if (value !== undefined) known.set(name, value);
  }
  for (const [name, value] of Object.entries(values)) known.set(name, value);
  const fill = (text: string): string =>
    text.replace(/\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g, (whole, name: string) => known.get(name) ?? whole);
  return orderedSteps(formula).map((step) => ({
    ...step,
    title: fill(step.title),
    description: fill(step.description),
    ...(step.acceptance === undefined ? {} : { acceptance: fill(step.acceptance) }),
  }));
}
