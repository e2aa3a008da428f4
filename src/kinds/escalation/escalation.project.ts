import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { ESCALATION } from "../../work/escalation.ts";
import { defined, metaText, seconds } from "../../work/record-fields.ts";

export function projectEscalation(record: BeadRecord): ProjectedInput {
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    spec: defined({
      id: record.id,
      title: record.title,
      text: record.description,
      severity: record.priority,
      bead: metaText(record, META.bead),
      agent: metaText(record, ESCALATION.agent),
    }),
    status: defined({ state: record.status, assignee: record.assignee }),
  };
}
