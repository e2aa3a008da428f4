import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { timestamp } from "../../resource/condition.ts";
import { MERGE } from "../../work/submission.ts";
import { defined, metaText, seconds } from "../../work/record-fields.ts";

export function projectMergeRequest(record: BeadRecord): ProjectedInput {
  const closed = record.status === "closed";
  const state = metaText(record, MERGE.state) ?? "Queued";
  const merged = closed && state === "Merged";
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
      state,
      reason: metaText(record, MERGE.reason) ?? (closed ? record.close_reason : undefined),
      commit: metaText(record, MERGE.commit),
      tree: metaText(record, MERGE.tree),
      log: metaText(record, MERGE.log),
      mergedTime: merged ? seconds(record.closed_at) : undefined,
      conditions: [
        {
          type: "Merged",
          status: merged ? "True" : "False",
          reason: state,
          message: metaText(record, MERGE.reason) ?? record.close_reason ?? `the merge request is ${state}`,
          lastTransitionTime: seconds(record.closed_at) ?? seconds(record.created_at) ?? timestamp(0),
        },
      ],
    }),
  };
}
