import { isRecord } from "../resource/equality.ts";
import type { FieldPath } from "./field-path.ts";

/** Keys of the formula language that formulas in use have and that do nothing here yet. */
const LATER_FORMULA_KEYS: ReadonlySet<string> = new Set("squash aspects target_required internal mode".split(" "));
const LATER_STEP_KEYS: ReadonlySet<string> = new Set(
  "description_file interactive gate on_complete ralph check retry timeout drain".split(" "),
);

/** The places of all keys in a formula that are kept, and have no effect. */
export function keysWithoutEffect(document: Readonly<Record<string, unknown>>): readonly FieldPath[] {
  const found: FieldPath[] = Object.keys(document)
    .filter((key) => LATER_FORMULA_KEYS.has(key))
    .map((key) => [key]);
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

function addSteps(steps: unknown, path: FieldPath, found: FieldPath[]): void {
  if (!Array.isArray(steps)) return;
  for (const [index, step] of steps.entries()) {
    if (!isRecord(step)) continue;
    const here = [...path, index];
    for (const key of Object.keys(step)) if (LATER_STEP_KEYS.has(key)) found.push([...here, key]);
    addSteps(step["children"], [...here, "children"], found);
    if (isRecord(step["loop"])) addSteps(step["loop"]["body"], [...here, "loop", "body"], found);
  }
}
