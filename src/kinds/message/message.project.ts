import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { defined, seconds } from "../../work/record-fields.ts";

export function projectMessage(record: BeadRecord): ProjectedInput {
  const sender = record["sender"];
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    spec: defined({
      id: record.id,
      from: typeof sender === "string" ? sender : (record.created_by ?? ""),
      to: record.assignee ?? "",
      subject: record.title,
      text: record.description,
    }),
    status: { state: record.status },
  };
}
