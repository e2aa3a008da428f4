import { didYouMean } from "./suggestion.ts";

/** Keys that have their effect. */
const FORMULA_KEYS = ["formula", "description", "version", "type", "vars", "steps"];
const STEP_KEYS = ["id", "title", "description", "needs", "depends_on", "acceptance"];
const VARIABLE_KEYS = ["description", "default", "required"];

/** Keys of the formula language that formulas in use have and that do nothing here yet. */
const LATER_FORMULA_KEYS =
  "extends template compose advice pointcuts phase pour agent review_only inputs prompts output legs synthesis presets squash aspects contract requires catalog metadata target_required internal mode";
const LATER_STEP_KEYS =
  "description_file notes type priority labels tags metadata waits_for assignee expand expand_vars condition children parallel interactive gate loop on_complete ralph check retry timeout drain";
const LATER_VARIABLE_KEYS = "enum pattern type";

type Place = "Formula" | "Step" | "Variable";

const KEYS: Readonly<Record<Place, { readonly now: readonly string[]; readonly later: readonly string[] }>> = {
  Formula: { now: FORMULA_KEYS, later: LATER_FORMULA_KEYS.split(" ") },
  Step: { now: STEP_KEYS, later: LATER_STEP_KEYS.split(" ") },
  Variable: { now: VARIABLE_KEYS, later: LATER_VARIABLE_KEYS.split(" ") },
};

export interface KeyRemark {
  readonly reason: "KeyWithoutEffect" | "KeyUnknown";
  readonly text: string;
  readonly hint?: string;
}

/** What to say about a key; undefined when it has its effect. */
export function keyRemark(place: Place, key: string): KeyRemark | undefined {
  const { now, later } = KEYS[place];
  if (now.includes(key)) return undefined;
  if (later.includes(key)) return { reason: "KeyWithoutEffect", text: "is not yet in effect; it is kept, and ignored" };
  const hint = didYouMean(key, [...now, ...later]);
  return {
    reason: "KeyUnknown",
    text: "is not a key of formulas; it is ignored",
    ...(hint === undefined ? {} : { hint }),
  };
}
