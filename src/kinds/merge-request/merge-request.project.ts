import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import { timestamp } from "../../resource/condition.ts";
import { approvedBy } from "../../work/approval.ts";
import { readQueue, runningGate } from "../../work/merge-queue.ts";
import { MERGE } from "../../work/submission.ts";
import { defined, metaText, seconds } from "../../work/record-fields.ts";

export function projectMergeRequest(record: BeadRecord, graph: GraphReader): ProjectedInput {
  const closed = record.status === "closed";
  const standing = closed ? endedStanding(record) : openStanding(record, graph);
  const approvers = approvedBy(record);
  const merged = closed && standing.state === "Merged";
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    spec: defined({
      id: record.id,
      title: record.title,
      bead: metaText(record, META.bead) ?? "",
      head: metaText(record, MERGE.head) ?? "",
      target: metaText(record, MERGE.target) ?? "",
      author: metaText(record, MERGE.author),
      priority: record.priority,
    }),
    status: defined({
      ...standing,
      approvedBy: approvers.length === 0 ? undefined : approvers,
      commit: metaText(record, MERGE.commit),
      tree: metaText(record, MERGE.tree),
      mergedTime: merged ? seconds(record.closed_at) : undefined,
      conditions: [
        {
          type: "Merged",
          status: merged ? "True" : "False",
          reason: standing.state,
          message: standing.reason ?? `the merge request is ${standing.state}`,
          lastTransitionTime: seconds(record.closed_at) ?? seconds(record.created_at) ?? timestamp(0),
        },
      ],
    }),
  };
}

interface Standing {
  readonly state: string;
  readonly reason?: string | undefined;
  readonly position?: number;
  readonly batch?: string;
  readonly gate?: string | undefined;
  readonly log?: string | undefined;
}

function endedStanding(record: BeadRecord): Standing {
  return {
    state: metaText(record, MERGE.state) ?? "Queued",
    reason: metaText(record, MERGE.reason) ?? record.close_reason,
    log: metaText(record, MERGE.log),
  };
}

/** Where it is in the queue, as the queue saw it last. */
function openStanding({ id }: BeadRecord, graph: GraphReader): Standing {
  const { batch, waiting } = readQueue(graph);
  const members = batch?.members ?? [];
  const place = members.findIndex(({ request }) => request === id) + 1;
  if (place > 0) {
    const running = runningGate(graph);
    return {
      state: batch?.held === undefined ? "Testing" : "Waiting",
      reason: batch?.held,
      position: place,
      batch: `${place}/${members.length}`,
      gate: running?.gate,
      log: running?.log,
    };
  }
  const behind = waiting.findIndex(({ request }) => request === id) + 1;
  if (behind === 0) return { state: "Queued" };
  const reason = waiting[behind - 1]?.reason;
  return { state: reason === undefined ? "Queued" : "Waiting", reason, position: members.length + behind };
}
