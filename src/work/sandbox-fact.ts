import { type BeadRecord, META } from "../domain/work-graph/bead.ts";

/** Where heads of beads' work are pinned. */
export const PINNED_HEADS = "refs/town/heads/";

/** Ref that keeps a head of a bead's work until it is known to have landed, whatever happens to branches and worktrees. */
export function pinRef(bead: string, commit: string): string {
  return `${PINNED_HEADS}${bead}/${commit}`;
}

/** What a bead's `town.sandbox` metadata says. */
export interface SandboxFact {
  readonly agent: string;
  readonly attempt: number;
  readonly base: string;
  readonly branch: string;
}

export function sandboxFact(bead: BeadRecord | undefined): SandboxFact | undefined {
  const value = bead?.metadata?.[META.sandbox];
  return typeof value === "object" && value !== null ? (value as SandboxFact) : undefined;
}
