import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { raiseEscalation } from "./escalation.ts";

/**
 * Blocks a bead that was tried too often and asks a person. It is worked on again once its status is open; the next
 * failure asks again.
 */
export function giveToPerson(
  tx: GraphTransaction,
  bead: BeadRecord,
  what: {
    /** As in "was sent back 5 times". */
    readonly how: string;
    readonly last: string;
    /** Identity of the agent that tried last; empty for none. */
    readonly agent: string;
  },
): void {
  const { how, last, agent } = what;
  tx.update(bead.id, { status: "blocked" });
  tx.comment(bead.id, `It ${how}; a person must look. Last: ${last}`);
  raiseEscalation(tx, {
    title: `${bead.id} ${how}: ${bead.title}`,
    text: [
      `Last: ${last}`,
      "",
      `What was tried: town bd show ${bead.id}; what the gates said: town tree bead/${bead.id}, town logs mr/NAME`,
      `Say more and try again: town bd comment ${bead.id} "…", then: town bd update ${bead.id} --status open`,
      `Give it up: town bd close ${bead.id} --reason "…"`,
    ].join("\n"),
    severity: "high",
    bead: bead.id,
    ...(agent === "" ? {} : { agent }),
    key: `attempts/${bead.id}`,
  });
}
