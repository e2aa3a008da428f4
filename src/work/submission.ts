import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { endEscalationsAbout } from "./escalation.ts";
import { giveToPerson } from "./exhausted.ts";
import { attemptsOf, dropMolecule } from "./hooking.ts";
import { endAttempt, noteResult } from "./ledger.ts";
import { endMolecule } from "./molecule.ts";
import { metaText } from "./record-fields.ts";
import { returnToAuthor } from "./returned.ts";
import { slingOf } from "./sling.ts";

/** Metadata keys of a record of type `merge-request`. */
export const MERGE = {
  head: "town.head",
  target: "town.target",
  author: "town.author",
  /** Commit that was built last; recorded before it lands. */
  commit: "town.commit",
  tree: "town.tree",
  state: "town.state",
  reason: "town.reason",
  log: "town.log",
} as const;

export interface Submission {
  readonly bead: string;
  /** Pinned commit. */
  readonly head: string;
  /** Target branch, short name. */
  readonly target: string;
  /** Identity of the agent that submits. */
  readonly author: string;
}

/**
 * Queues work: makes the merge request, closes the steps that are left, and takes the bead off the hook. The bead stays
 * open and waits for its merge request, so whatever depends on it waits for the merge; should the request be rejected
 * the bead is ready again by itself. Idempotent by bead, attempt and head.
 */
export function submit(tx: GraphTransaction, what: Submission): BeadRecord {
  const bead = tx.get(what.bead);
  if (bead === undefined) throw new Error(`bead ${what.bead} vanished`);
  const attempt = attemptsOf(bead);
  const key = `merge-request/${what.bead}/${what.head}${attempt === 0 ? "" : `/${attempt}`}`;
  const former = tx.byKey(key);
  if (former !== undefined) return former;
  const older = bead.metadata?.[META.mergeRequest];
  if (typeof older === "string" && tx.get(older)?.status !== "closed")
    endMergeRequest(tx, older, "Superseded", `superseded by ${what.head.slice(0, 12)}`);
  const request = tx.create({
    title: `Merge ${bead.id}: ${bead.title}`,
    issue_type: "merge-request",
    priority: bead.priority,
    ...(bead.owner === undefined ? {} : { owner: bead.owner }),
    metadata: {
      [META.key]: key,
      [META.bead]: bead.id,
      [MERGE.head]: what.head,
      [MERGE.target]: what.target,
      [MERGE.author]: what.author,
      [MERGE.state]: "Queued",
      ...(bead.metadata?.[META.convoy] === undefined ? {} : { [META.convoy]: bead.metadata[META.convoy] }),
    },
  });
  const molecule = bead.metadata?.[META.molecule];
  if (typeof molecule === "string") {
    endMolecule(tx, molecule, "Submitted");
  }
  endAttempt(tx, bead.id, "Submitted");
  tx.release(bead.id, { reason: "submitted" });
  tx.setMetadata(bead.id, { [META.mergeRequest]: request.id, [META.head]: what.head, [META.feedback]: null });
  tx.addDependency(bead.id, request.id, "blocks");
  return request;
}

function endMergeRequest(
  tx: GraphTransaction,
  id: string,
  state: "Merged" | "Rejected" | "Superseded",
  reason: string,
): void {
  tx.setMetadata(id, { [MERGE.state]: state, [MERGE.reason]: reason });
  tx.close(id, { reason: `${state}: ${reason}`, force: true });
}

/** Closes a merge request and its bead after the target moved. Repeating it changes nothing. */
export function recordMerged(tx: GraphTransaction, requestId: string, commit: string): void {
  const request = tx.get(requestId);
  if (request === undefined || request.status === "closed") return;
  tx.setMetadata(requestId, { [MERGE.state]: "Merged", [MERGE.commit]: commit });
  tx.close(requestId, { reason: `Merged in ${commit}`, force: true });
  const bead = tx.get(String(request.metadata?.[META.bead]));
  if (bead === undefined) return;
  noteResult(tx, bead.id, "Merged");
  endEscalationsAbout(tx, bead.id, `${bead.id} is merged`);
  if (bead.status !== "closed") tx.close(bead.id, { reason: `Merged in ${commit}`, force: true });
}

/**
 * Ends a merge request without merging and gives the bead back with what went wrong: to the pools where a convoy or
 * `town sling` asks for it, else to its author. After `maxAttempts` the bead is blocked instead, and a person is asked.
 * Repeating it changes nothing.
 */
export function sendBack(
  tx: GraphTransaction,
  requestId: string,
  what: { readonly reason: string; readonly feedback: string; readonly maxAttempts: number },
): "SentBack" | "Blocked" | "Ended" {
  const request = tx.get(requestId);
  if (request === undefined || request.status === "closed") return "Ended";
  endMergeRequest(tx, requestId, "Rejected", what.reason);
  const bead = tx.get(String(request.metadata?.[META.bead]));
  if (bead === undefined || bead.status === "closed") return "Ended";
  const attempts = attemptsOf(bead) + 1;
  noteResult(tx, bead.id, "Reworked");
  dropMolecule(tx, bead, what.reason);
  tx.setMetadata(bead.id, { [META.attempts]: attempts, [META.feedback]: what.feedback, [META.mergeRequest]: null });
  const author = metaText(request, MERGE.author) ?? "";
  if (attempts >= what.maxAttempts) {
    giveToPerson(tx, bead, { how: `was sent back ${attempts} times`, last: what.reason, agent: author });
    return "Blocked";
  }
  const isAskedFor = typeof bead.metadata?.[META.convoy] === "string" || slingOf(bead) !== undefined;
  if (!isAskedFor && author !== "") returnToAuthor(tx, bead, { author, request: requestId, reason: what.reason });
  return "SentBack";
}
