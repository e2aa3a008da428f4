import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { Formula } from "../domain/formulas/formula.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { type AgentDeclaration, declareAgent, hookOf } from "./agent-record.ts";
import { beginAttempt } from "./ledger.ts";
import { endMolecule } from "./molecule.ts";
import { pour } from "./pour.ts";

/** Claims of sessions are renewed by the controller long before this; other claims last as long. */
export const LEASE_MS = 4 * 3_600_000;

/**
 * Puts a bead on an agent's hook: makes the identity if it is new, claims the bead and pours its molecule, in one
 * transaction, so that a session started afterwards always finds its work. Undefined when the agent has work already, the
 * bead is no longer there to take, or the agent's name is that of another pool's.
 */
export function hookBead(
  tx: GraphTransaction,
  what: {
    readonly bead: string;
    readonly agent: AgentDeclaration;
    readonly prefix: string;
    readonly formula: Formula | undefined;
    /** Values of its variables. Default: none beside the bead and its title. */
    readonly values?: Readonly<Record<string, string>> | undefined;
  },
): BeadRecord | undefined {
  if (declareAgent(tx, what.prefix, what.agent) === undefined) return undefined;
  const held = hookOf(tx, what.agent.identity);
  if (held !== undefined) return held.id === what.bead ? held : undefined;
  const bead = tx.get(what.bead);
  const isFree = ["", what.agent.identity].includes(bead?.assignee ?? "");
  if (bead === undefined || bead.status !== "open" || !isFree || tx.isBlocked(bead.id)) return undefined;
  let molecule: BeadRecord | undefined;
  if (what.formula !== undefined) {
    const attempts = attemptsOf(bead);
    molecule = pour(tx, what.formula, bead, `molecule/${bead.id}/${attempts}`, what.values);
    if (bead.metadata?.[META.molecule] !== molecule.id) tx.setMetadata(bead.id, { [META.molecule]: molecule.id });
  }
  beginAttempt(tx, bead.id, {
    agent: what.agent.identity,
    ...(what.formula === undefined ? {} : { formula: what.formula.name }),
    ...(molecule === undefined ? {} : { molecule: molecule.id }),
  });
  return tx.claim(bead.id, what.agent.identity, { status: "hooked", leaseMs: LEASE_MS });
}

export function attemptsOf(bead: BeadRecord): number {
  const value = bead.metadata?.[META.attempts];
  return typeof value === "number" ? value : 0;
}

/** Drops the plan of an attempt that is over, so that the next attempt gets a fresh one. */
export function dropMolecule(tx: GraphTransaction, bead: BeadRecord, reason: string): void {
  const molecule = bead.metadata?.[META.molecule];
  if (typeof molecule !== "string") return;
  endMolecule(tx, molecule, reason);
  tx.setMetadata(bead.id, { [META.molecule]: null });
}
