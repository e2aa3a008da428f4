import type { Compilation } from "./compilation.ts";
import { conditionHolds, parseCondition } from "./condition.ts";
import { type Draft, everyDraft } from "./draft.ts";
import { replaceSteps, type Replacement } from "./replacement.ts";

/** What a condition of run time can begin with. */
const RUN_TIME = /^\s*(step\.|children\(|descendants\(|steps\.complete\b|file\.exists\(|env\.)/;

/** Whether a condition is asked when the step's turn comes. */
export function isRunTime(condition: string): boolean {
  return RUN_TIME.test(condition);
}

/** Steps without those whose condition is false now; who needed such a step needs what it needed. */
export function withoutFalse(tree: readonly Draft[], at: Compilation): readonly Draft[] {
  const gone = new Map<Draft, Replacement>();
  for (const step of everyDraft(tree)) if (!stays(step, at)) gone.set(step, { steps: [] });
  return replaceSteps(tree, gone);
}

function stays(step: Draft, at: Compilation): boolean {
  for (const text of step.conditions) {
    if (isRunTime(text)) continue;
    const condition = parseCondition(text);
    if (condition === undefined)
      at.tell(
        step.at,
        "condition",
        "ConditionInvalid",
        `'${text}' is no condition`,
        "Write `{{v}}`, `!{{v}}`, `{{v}} == x` or `{{v}} != x`.",
      );
    else if (conditionHolds(condition, at.values) === false) return false;
  }
  return true;
}
