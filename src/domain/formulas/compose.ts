import { didYouMean } from "../text/suggestion.ts";
import type { Compilation } from "./compilation.ts";
import { type Draft, everyDraft, mapDrafts } from "./draft.ts";
import type { ComposeDocument } from "./formula-document.ts";
import type { FormulaPlace } from "./formula-problem.ts";

/** Needs and gates that `compose.branch` and `compose.gate` add to steps. */
export function composeFlow(
  tree: readonly Draft[],
  compose: ComposeDocument,
  formula: string,
  at: Compilation,
): readonly Draft[] {
  const ids = new Set([...everyDraft(tree)].map((step) => step.id));
  const needs = new Map<string, string[]>();
  const gates = new Map<string, string>();
  const known = (id: string, field: string, place: FormulaPlace): boolean => {
    if (ids.has(id)) return true;
    at.tell(place, field, "StepUnknown", `there is no step '${id}'`, didYouMean(id, ids));
    return false;
  };
  const need = (id: string, on: string): void => {
    needs.set(id, [...(needs.get(id) ?? []), on]);
  };
  for (const [index, branch] of (compose.branch ?? []).entries()) {
    const place = at.placeOf(branch, { formula, path: ["compose", "branch", index] });
    const all = [known(branch.from, "from", place), known(branch.join, "join", place)];
    for (const id of branch.steps) all.push(known(id, "steps", place));
    if (all.includes(false)) continue;
    for (const id of branch.steps) {
      need(id, branch.from);
      need(branch.join, id);
    }
  }
  for (const [index, gate] of (compose.gate ?? []).entries())
    if (known(gate.before, "before", at.placeOf(gate, { formula, path: ["compose", "gate", index] })))
      gates.set(gate.before, gate.condition);
  if (needs.size === 0 && gates.size === 0) return tree;
  return mapDrafts(tree, (step) => {
    const condition = gates.get(step.id);
    if (condition !== undefined && step.gate !== undefined)
      at.tell(step.at, "gate", "GateTwice", `step '${step.id}' has a gate already`);
    return {
      ...step,
      needs: [...new Set([...step.needs, ...(needs.get(step.id) ?? [])])],
      ...(condition === undefined ? {} : { gate: { type: "conditional" as const, condition } }),
    };
  });
}
