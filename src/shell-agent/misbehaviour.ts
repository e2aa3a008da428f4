/** Ways in which real agents go wrong, for trying what the town does about it. */
export type MisbehaviourKind =
  | "die-before"
  | "die-after"
  | "hang"
  | "wait-for-input"
  | "ignore-hook"
  | "finish-without-exit";

export interface Misbehaviour {
  readonly kind: MisbehaviourKind;
  /** Step name; empty for those that belong to no step. */
  readonly step: string;
  /** Every time; else once per bead, on its first attempt. */
  readonly always: boolean;
}

const WITH_STEP = new Set(["die-before", "die-after", "hang", "wait-for-input"]);
const WITHOUT_STEP = new Set(["ignore-hook", "finish-without-exit"]);

/**
 * Reads TOWN_SHELL_AGENT_MISBEHAVE: `die-before:STEP`, `die-after:STEP` (after its commit, before it is closed),
 * `hang:STEP`, `wait-for-input:STEP`, `ignore-hook`, `finish-without-exit`; separated by commas, `!` behind one for every
 * time. Throws RangeError on anything else.
 */
export function misbehaviours(text: string): readonly Misbehaviour[] {
  const entries = text.split(",").map((entry) => entry.trim());
  return entries.filter((entry) => entry !== "").map((entry) => misbehaviour(entry));
}

function misbehaviour(entry: string): Misbehaviour {
  const always = entry.endsWith("!");
  const [kind = "", ...rest] = (always ? entry.slice(0, -1) : entry).split(":");
  const step = rest.join(":");
  if ((WITH_STEP.has(kind) && step !== "") || (WITHOUT_STEP.has(kind) && rest.length === 0)) {
    return { kind: kind as MisbehaviourKind, step, always };
  }
  const known = [...[...WITH_STEP].map((each) => `${each}:STEP`), ...WITHOUT_STEP].join(", ");
  throw new RangeError(`TOWN_SHELL_AGENT_MISBEHAVE: '${entry}' must be one of ${known}, each with an optional '!'`);
}

/** The entry that applies now. `happened` says whether it already did on this bead. */
export function misbehaviourAt(
  all: readonly Misbehaviour[],
  at: { readonly kind: MisbehaviourKind; readonly step: string; readonly attempt: number },
  happened: (entry: Misbehaviour) => boolean,
): Misbehaviour | undefined {
  return all.find(
    (entry) =>
      entry.kind === at.kind && entry.step === at.step && (entry.always || (at.attempt === 1 && !happened(entry))),
  );
}
