import type { TownLayout } from "../ports/loop-ports.ts";

/**
 * File that names the bead on an agent's hook, for the git hook that writes `Town-Bead`: an agent that keeps its sandbox has
 * one branch for all its work, and one that a person started was started without a bead. Empty: nothing is on the hook.
 */
export function beadFile(layout: Pick<TownLayout, "state">, namespace: string, agent: string): string {
  return `${layout.state}/beads/${namespace}-${agent}`;
}
