import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { defined, seconds } from "../../work/record-fields.ts";

export function projectEscalation(record: BeadRecord): ProjectedInput {
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    spec: defined({ id: record.id, title: record.title, text: record.description, severity: record.priority }),
    status: defined({ state: record.status, assignee: record.assignee }),
  };
}
