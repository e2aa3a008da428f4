import { type BeadRecord, META } from "../domain/work-graph/bead.ts";

/** Ref that keeps a head of a bead's work for ever, whatever happens to branches and worktrees. */
export function pinRef(bead: string, commit: string): string {
  return `refs/town/heads/${bead}/${commit}`;
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
