import type { Compilation } from "./compilation.ts";
import type { Draft } from "./draft.ts";

type Key = "loop" | "on_complete" | "gate" | "expand" | "assignee" | "retry" | "check" | "children";

const RULES: readonly { readonly key: Key; readonly not: readonly Key[] }[] = [
  { key: "check", not: ["on_complete", "gate", "assignee", "retry"] },
  { key: "retry", not: ["on_complete", "gate", "assignee", "children"] },
];

/** What one step may not say together, and what each must say. */
export function checkStep(step: Draft, at: Compilation): void {
  if (step.title === "") at.tell(step.at, "title", "FieldMissing", `step '${step.id}' must have a title`);
  if (/[{}]/.test(step.id))
    at.tell(step.at, "id", "StepIdOpen", `step '${step.id}' has a placeholder that nothing fills`);
  const has = (key: Key): boolean => (key === "children" ? step.children.length > 0 : step[key] !== undefined);
  for (const { key, not } of RULES) {
    if (!has(key)) continue;
    for (const other of not)
      if (has(other))
        at.tell(step.at, key, "KeysExclusive", `step '${step.id}' must not have both \`${key}\` and \`${other}\``);
  }
}
