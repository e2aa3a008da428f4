import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { MESSAGE, messageState, senderOf, sequenceOf, threadOf } from "../../work/mailbox.ts";
import { defined, seconds } from "../../work/record-fields.ts";

export function projectMessage(record: BeadRecord): ProjectedInput {
  const delivery = record.metadata?.[MESSAGE.delivery] as
    | { readonly generation?: number; readonly at?: string; readonly times?: number }
    | undefined;
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    spec: defined({
      id: record.id,
      from: senderOf(record),
      to: record.assignee ?? "",
      subject: record.title,
      text: record.description,
      urgent: record.metadata?.[MESSAGE.urgent] === true ? true : undefined,
      durable: record.ephemeral !== true,
    }),
    status: defined({
      state: messageState(record),
      sequence: sequenceOf(record),
      thread: threadOf(record),
      generation: delivery?.generation,
      deliveries: delivery?.times,
      deliveredTime: seconds(delivery?.at),
      readTime: seconds(record.metadata?.[MESSAGE.read]),
    }),
  };
}
