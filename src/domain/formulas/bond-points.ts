import { didYouMean } from "../text/suggestion.ts";
import type { Compilation, FormulaSubject } from "./compilation.ts";
import { type Draft, everyDraft, renamed } from "./draft.ts";
import type { ComposeDocument, FormulaDocument } from "./formula-document.ts";
import { replaceSteps, type Replacement, sinksOf } from "./replacement.ts";

/** The steps that a formula attached at a bond point adds, before they are placed. */
export type Attached = (document: FormulaDocument, vars: Readonly<Record<string, string>>) => readonly Draft[];

/**
 * `compose.hooks`: a formula is attached at a bond point when the bead is what the hook's trigger says. Its steps are
 * called `<bond point>.<step>`. After a step: what needed the step waits for them too, unless the point is `parallel`.
 */
export function attachHooks(
  tree: readonly Draft[],
  compose: ComposeDocument,
  formula: string,
  at: Compilation,
  attached: Attached,
): readonly Draft[] {
  let steps = tree;
  const points = new Map((compose.bond_points ?? []).map((point) => [point.id, point]));
  const ids = [...everyDraft(tree)].map((step) => step.id);
  for (const [index, point] of (compose.bond_points ?? []).entries()) {
    const id = point.after_step ?? point.before_step ?? "";
    const field = point.after_step === undefined ? "before_step" : "after_step";
    if (!ids.includes(id)) {
      const place = at.placeOf(point, { formula, path: ["compose", "bond_points", index] });
      at.tell(place, field, "StepUnknown", `there is no step '${id}'`, didYouMean(id, ids));
    }
  }
  for (const [index, hook] of (compose.hooks ?? []).entries()) {
    const place = at.placeOf(hook, { formula, path: ["compose", "hooks", index] });
    const point = points.get(hook.at);
    const document = at.part(hook.attach);
    if (point === undefined)
      at.tell(
        place,
        "at",
        "BondPointUnknown",
        `there is no bond point '${hook.at}'`,
        didYouMean(hook.at, points.keys()),
      );
    if (document === undefined)
      at.tell(
        place,
        "attach",
        "FormulaUnknown",
        `there is no formula '${hook.attach}'`,
        didYouMean(hook.attach, at.names),
      );
    if (point === undefined || document === undefined || !triggered(hook.trigger, at.subject)) continue;
    const more = renamed(attached(document, hook.vars ?? {}), (id) => `${point.id}.${id}`);
    const anchor = [...everyDraft(steps)].find((step) => step.id === (point.after_step ?? point.before_step));
    if (anchor === undefined || more.length === 0) continue;
    const placed = point.after_step === undefined ? before(anchor, more) : after(anchor, more, point.parallel === true);
    steps = replaceSteps(steps, new Map([[anchor, placed]]));
  }
  return steps;
}

function triggered(trigger: string, subject: FormulaSubject): boolean {
  const [kind, wanted] = [trigger.slice(0, trigger.indexOf(":")), trigger.slice(trigger.indexOf(":") + 1)];
  if (kind === "label") return subject.labels?.includes(wanted) === true;
  if (kind === "type") return subject.type === wanted;
  return subject.priority !== undefined && String(subject.priority) === wanted;
}

function after(anchor: Draft, more: readonly Draft[], parallel: boolean): Replacement {
  const inside = new Set(more.map((step) => step.id));
  const steps = more.map((step) =>
    step.needs.some((need) => inside.has(need)) ? step : { ...step, needs: [anchor.id, ...step.needs] },
  );
  return { steps: [anchor, ...steps], exits: parallel ? [anchor.id] : sinksOf(steps) };
}

function before(anchor: Draft, more: readonly Draft[]): Replacement {
  return { steps: [...more, { ...anchor, needs: [...anchor.needs, ...sinksOf(more)] }], exits: [anchor.id] };
}
