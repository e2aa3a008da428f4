import { didYouMean } from "../text/suggestion.ts";
import type { Compilation } from "./compilation.ts";
import { type Draft, draftOf, everyDraft } from "./draft.ts";
import { fillBraces } from "./fill-text.ts";
import { fillDraft } from "./fill-draft.ts";
import type { AdviceDocument, FormulaDocument, PointcutDocument } from "./formula-document.ts";
import type { FormulaPlace } from "./formula-problem.ts";
import { globMatches } from "./glob.ts";
import { replaceSteps, type Replacement } from "./replacement.ts";

/**
 * The advice of a formula put around the steps that it is about: those whose id its `target` matches and that one of
 * the formula's pointcuts picks, where it has any. Steps that came from advice are not advised again by the same
 * formula, so the order of its advice does not matter for what is advised.
 */
export function adviseWith(tree: readonly Draft[], by: FormulaDocument, at: Compilation): readonly Draft[] {
  const advice = by.advice ?? [];
  const replacements = new Map<Draft, Replacement>();
  const used = new Set<number>();
  for (const step of advice.length === 0 ? [] : everyDraft(tree)) {
    const before: Draft[] = [];
    const after: Draft[] = [];
    for (const [index, each] of advice.entries()) {
      if (!isAbout(each, by.pointcuts ?? [], step)) continue;
      used.add(index);
      const place = at.placeOf(each, { formula: by.formula, path: ["advice", index] });
      before.push(...advised(each.around?.before, [...place.path, "around", "before"], place, step));
      before.push(...advised(each.before, [...place.path, "before"], place, step));
      after.push(...advised(each.after, [...place.path, "after"], place, step));
      after.push(...advised(each.around?.after, [...place.path, "around", "after"], place, step));
    }
    if (before.length + after.length > 0) replacements.set(step, around(step, before, after));
  }
  for (const [index, each] of advice.entries()) {
    if (used.has(index)) continue;
    at.warn(
      at.placeOf(each, { formula: by.formula, path: ["advice", index] }),
      "target",
      "AdviceWithoutStep",
      `advice for '${each.target ?? "its pointcuts"}' is about no step`,
      each.target === undefined
        ? undefined
        : didYouMean(
            each.target,
            [...everyDraft(tree)].map((step) => step.id),
          ),
    );
  }
  return replaceSteps(tree, replacements);
}

function isAbout(advice: AdviceDocument, pointcuts: readonly PointcutDocument[], step: Draft): boolean {
  if (advice.target !== undefined && !globMatches(advice.target, step.id)) return false;
  if (pointcuts.length === 0) return advice.target !== undefined;
  return pointcuts.some(
    (cut) =>
      (cut.glob === undefined || globMatches(cut.glob, step.id)) &&
      (cut.type === undefined || globMatches(cut.type, step.type ?? "task")) &&
      (cut.label === undefined || step.labels.some((label) => globMatches(cut.label ?? "", label))),
  );
}

function advised(
  steps: AdviceDocument["before"],
  path: FormulaPlace["path"],
  place: FormulaPlace,
  target: Draft,
): readonly Draft[] {
  const names = new Map([
    ["step.id", target.id],
    ["step.title", target.title],
    ["step.description", target.description ?? ""],
    ["target", target.id],
  ]);
  return (steps ?? []).map((step, index) =>
    fillDraft(draftOf({ ...step, id: idFor(step.id, target.id) }, { ...place, path: [...path, index] }), (text) =>
      fillBraces(text, names),
    ),
  );
}

/** An id of advice that does not say whose it is gets the step's in front, so that two steps' advice never collide. */
function idFor(id: string, target: string): string {
  return /\{(?:step\.id|target)\}/.test(id) ? id : `${target}.${id}`;
}

/** before → the step → after, each after the one before it; conditions and needs of the step hold for all. */
function around(step: Draft, before: readonly Draft[], after: readonly Draft[]): Replacement {
  const chain = [...before, step, ...after];
  return {
    steps: chain.map((each, index) => {
      const previous = chain[index - 1]?.id;
      const own = each === step ? [] : each.needs;
      return {
        ...each,
        conditions: each === step ? step.conditions : [...step.conditions, ...each.conditions],
        needs: previous === undefined ? own : [previous, ...own],
      };
    }),
    exits: [chain.at(-1)?.id ?? step.id],
  };
}
