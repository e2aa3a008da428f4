import { didYouMean } from "../text/suggestion.ts";
import type { ComposeDocument, FormulaDocument } from "./formula-document.ts";
import type { FormulaProblem } from "./formula-problem.ts";
import { teller } from "./formula-problem.ts";

const MAX_PARENTS = 10;

export interface Assembled {
  readonly document: FormulaDocument;
  readonly problems: readonly FormulaProblem[];
}

/**
 * A formula with all that it extends merged in, parents first in their order. What the child says wins: steps, templates
 * and legs of the same id in their place, variables, inputs, prompts and presets by name; advice, pointcuts and the rules
 * of `compose` are added to the parents'. Nothing that either says is dropped.
 */
export function assemble(name: string, documents: ReadonlyMap<string, FormulaDocument>): Assembled | undefined {
  const own = documents.get(name);
  if (own === undefined) return undefined;
  const problems: FormulaProblem[] = [];
  const document = merged(own, documents, [name], problems);
  return { document, problems };
}

function merged(
  child: FormulaDocument,
  documents: ReadonlyMap<string, FormulaDocument>,
  way: readonly string[],
  problems: FormulaProblem[],
): FormulaDocument {
  const tell = teller(problems);
  const place = { formula: child.formula, path: [] };
  let result: FormulaDocument | undefined;
  for (const parent of child.extends ?? []) {
    const found = documents.get(parent);
    if (found === undefined) {
      const hint = didYouMean(parent, documents.keys());
      tell(place, "extends", "FormulaUnknown", `there is no formula '${parent}' to extend`, hint);
    } else if (way.includes(parent))
      tell(place, "extends", "ExtendsCycle", `formulas extend each other in a circle: ${[...way, parent].join(" → ")}`);
    else if (way.length > MAX_PARENTS)
      tell(place, "extends", "ExtendsTooDeep", `formulas extend each other more than ${MAX_PARENTS} deep`);
    else {
      const whole = merged(found, documents, [...way, parent], problems);
      result = result === undefined ? whole : joined(result, whole);
    }
  }
  return result === undefined ? child : joined(result, child);
}

function joined(base: FormulaDocument, over: FormulaDocument): FormulaDocument {
  const { extends: _parents, ...stated } = over;
  return {
    ...base,
    ...stated,
    ...defined({
      vars: both(base.vars, over.vars),
      inputs: both(base.inputs, over.inputs),
      prompts: both(base.prompts, over.prompts),
      presets: both(base.presets, over.presets),
      metadata: both(base.metadata, over.metadata),
      steps: byId(base.steps, over.steps),
      template: byId(base.template, over.template),
      legs: byId(base.legs, over.legs),
      aspects: byId(base.aspects, over.aspects),
      advice: listed(base.advice, over.advice),
      pointcuts: listed(base.pointcuts, over.pointcuts),
      compose: composed(base.compose, over.compose),
    }),
  };
}

function composed(base: ComposeDocument | undefined, over: ComposeDocument | undefined): ComposeDocument | undefined {
  if (base === undefined || over === undefined) return over ?? base;
  const aspects = listed(base.aspects, over.aspects);
  return defined({
    bond_points: byId(base.bond_points, over.bond_points),
    hooks: listed(base.hooks, over.hooks),
    expand: listed(base.expand, over.expand),
    map: listed(base.map, over.map),
    branch: listed(base.branch, over.branch),
    gate: listed(base.gate, over.gate),
    aspects: aspects === undefined ? undefined : [...new Set(aspects)],
  });
}

function byId<T extends { readonly id: string }>(base: T[] | undefined, over: T[] | undefined): T[] | undefined {
  if (base === undefined || over === undefined) return over ?? base;
  const children = new Map(over.map((item) => [item.id, item]));
  const known = new Set(base.map((item) => item.id));
  return [...base.map((item) => children.get(item.id) ?? item), ...over.filter((item) => !known.has(item.id))];
}

function listed<T>(base: T[] | undefined, over: T[] | undefined): T[] | undefined {
  return base === undefined || over === undefined ? (over ?? base) : [...base, ...over];
}

function both<T>(base: Record<string, T> | undefined, over: Record<string, T> | undefined) {
  return base === undefined || over === undefined ? (over ?? base) : { ...base, ...over };
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}
