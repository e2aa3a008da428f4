import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { AGENT, agentRecord, hookOf } from "./agent-record.ts";
import { raiseEscalation } from "./escalation.ts";
import { joinedOf } from "./joined.ts";
import { LEASE_MS } from "./hooking.ts";
import { beginAttempt } from "./ledger.ts";
import { sendMessage } from "./mailbox.ts";

/** Metadata key of an open bead that goes back to the hook of its assignee, who submitted it. */
const RETURNED = "town.returned";

/**
 * Gives work that was sent back, and that no pool is asked to take, to the agent that handed it in: it is told at once,
 * and the bead goes on its hook as soon as that is empty. An agent that is no more hears nothing: then a person is asked.
 */
export function returnToAuthor(
  tx: GraphTransaction,
  bead: BeadRecord,
  what: { readonly author: string; readonly request: string; readonly reason: string },
): void {
  const { author, request, reason } = what;
  const agent = agentRecord(tx, author.split("/").at(-1) ?? author);
  const isThere =
    agent !== undefined && (agent.metadata?.[AGENT.desired] !== "Stopped" || joinedOf(agent) !== undefined);
  if (!isThere || agent.title !== author) {
    raiseEscalation(tx, {
      title: `${bead.id} was not merged, and ${author}, whose work it is, is gone: ${bead.title}`,
      text: `${reason}\n\nHave another agent do it: town sling ${bead.id}\nOr give it up: town bd close ${bead.id}`,
      severity: "medium",
      bead: bead.id,
      key: `returned/${bead.id}`,
    });
    return;
  }
  tx.update(bead.id, { assignee: author });
  tx.setMetadata(bead.id, { [RETURNED]: request });
  const held = hookOf(tx, author);
  const next = held === undefined ? "It is on your hook again" : `It comes back to your hook after ${held.id}`;
  sendMessage(tx, {
    to: author,
    from: `${author.includes("/") ? (author.split("/")[0] ?? "") : "hq"}/refinery`,
    subject: `${bead.id} was not merged: ${reason}`,
    text: `${next}. Run \`town prime\` then: it shows what went wrong. Mend it on your branch, commit, then: town done`,
    durable: false,
    urgent: true,
    key: `returned/${request}`,
  });
}

export function isReturned(bead: BeadRecord): boolean {
  return bead.assignee !== undefined && typeof bead.metadata?.[RETURNED] === "string";
}

/** The oldest bead that is to go back to the agent's hook; undefined: none, or its hook is taken. */
export function returnedTo(graph: GraphReader, identity: string): BeadRecord | undefined {
  if (hookOf(graph, identity) !== undefined) return undefined;
  return graph
    .list({ assignee: identity, status: ["open"] })
    .filter((bead) => isReturned(bead) && !graph.isBlocked(bead.id))
    .toSorted((a, b) => a.updated_at.localeCompare(b.updated_at))[0];
}

/** It is for others now. */
export function endReturn(tx: GraphTransaction, id: string): void {
  const bead = tx.get(id);
  if (bead === undefined || !isReturned(bead) || bead.status !== "open") return;
  tx.update(id, { assignee: null });
  tx.setMetadata(id, { [RETURNED]: null });
}

/** Puts the bead that was sent back on its author's hook. Repeating it changes nothing. */
export function takeBack(tx: GraphTransaction, identity: string): BeadRecord | undefined {
  const bead = returnedTo(tx, identity);
  if (bead === undefined) return undefined;
  tx.setMetadata(bead.id, { [RETURNED]: null });
  beginAttempt(tx, bead.id, { agent: identity });
  return tx.claim(bead.id, identity, { status: "hooked", leaseMs: LEASE_MS });
}
