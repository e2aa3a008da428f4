import type { Misbehaviour } from "./misbehaviour.ts";

/** How far a step came. */
export interface StepProgress {
  readonly bead: string;
  readonly attempt: number;
  readonly step: string;
  readonly state: "Started" | "Finished";
  /** HEAD when the step started, or after its commit. */
  readonly head: string;
}

/** What a session leaves for the one that follows it in this worktree. */
export interface StepNote {
  readonly progress?: StepProgress;
  /** Misbehaviours that have happened. */
  readonly happened: readonly string[];
}

export function noteText(note: StepNote): string {
  return `${JSON.stringify({ format: 1, ...note })}\n`;
}

/** Empty for a missing, foreign or damaged note: then the step is simply done again. */
export function noteOf(text: string | undefined): StepNote {
  try {
    const { format, ...note } = JSON.parse(text ?? "") as { readonly format?: unknown } & StepNote;
    return format === 1 && Array.isArray(note.happened) ? note : { happened: [] };
  } catch {
    return { happened: [] };
  }
}

/** What to do about a step, given the note of an earlier session. */
export type Resumption =
  | { readonly do: "Run" }
  /** It was cut off: its effort is thrown away and done again. */
  | { readonly do: "Redo"; readonly from: string }
  /** Done and committed; only the report is missing. */
  | { readonly do: "Report" };

export function resumptionOf(note: StepNote, at: Omit<StepProgress, "state">): Resumption {
  const { progress } = note;
  if (progress?.bead !== at.bead || progress.attempt !== at.attempt || progress.step !== at.step) return { do: "Run" };
  if (progress.state === "Started") return { do: "Redo", from: progress.head };
  return progress.head === at.head ? { do: "Report" } : { do: "Run" };
}

/** Names a misbehaviour on a bead; those of no bead pass an empty id. */
export function misbehaviourKey(entry: Misbehaviour, bead: string): string {
  return [bead, entry.kind, entry.step].join("/");
}
