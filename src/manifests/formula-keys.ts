import { isRunTime } from "../domain/formulas/conditions.ts";
import { isRecord } from "../resource/equality.ts";
import type { FieldPath } from "./field-path.ts";

/** Keys of the formula language that formulas in use have and that do nothing here yet. */
const LATER_FORMULA_KEYS: ReadonlySet<string> = new Set("squash aspects target_required mode".split(" "));
const LATER_STEP_KEYS: ReadonlySet<string> = new Set(
  "description_file interactive on_complete ralph check retry timeout drain".split(" "),
);

const LATER = "is not yet in effect; it is kept, and ignored";

/** Gates that open when a person, or what they name, closes; nothing watches for the others yet. */
const SELF_OPENING: readonly unknown[] = ["human", "bead"];

/** What is to be said of a key that is kept and does not do all that it promises. */
export interface KeyRemark {
  readonly path: FieldPath;
  readonly text: string;
}

/** The places of all keys in a formula that are kept, and have no effect. */
export function keysWithoutEffect(document: Readonly<Record<string, unknown>>): readonly KeyRemark[] {
  const found: KeyRemark[] = Object.keys(document)
    .filter((key) => LATER_FORMULA_KEYS.has(key))
    .map((key) => ({ path: [key], text: LATER }));
  for (const key of ["steps", "template"]) addSteps(document[key], [key], found);
  const advice = Array.isArray(document["advice"]) ? document["advice"] : [];
  for (const [index, each] of advice.entries()) {
    for (const path of [["before"], ["after"], ["around", "before"], ["around", "after"]]) {
      const steps = path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), each);
      addSteps(Array.isArray(steps) || steps === undefined ? steps : [steps], ["advice", index, ...path], found);
    }
  }
  return found;
}

function addSteps(steps: unknown, path: FieldPath, found: KeyRemark[]): void {
  if (!Array.isArray(steps)) return;
  for (const [index, step] of steps.entries()) {
    if (!isRecord(step)) continue;
    const here = [...path, index];
    for (const key of Object.keys(step))
      if (LATER_STEP_KEYS.has(key)) found.push({ path: [...here, key], text: LATER });
    const { gate, condition } = step;
    if (isRecord(gate) && !SELF_OPENING.includes(gate["type"]))
      found.push({
        path: [...here, "gate"],
        text: "blocks its step until somebody closes it: nothing watches for it yet",
      });
    if (typeof condition === "string" && isRunTime(condition))
      found.push({
        path: [...here, "condition"],
        text: "is asked when its turn comes, which is not yet in effect; the step is always done",
      });
    addSteps(step["children"], [...here, "children"], found);
    if (isRecord(step["loop"])) addSteps(step["loop"]["body"], [...here, "loop", "body"], found);
  }
}
