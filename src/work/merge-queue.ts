import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { EMPTY_QUEUE, type QueueRecord } from "../domain/merge-queue/queue-record.ts";
import type { ProcessIdentity } from "../ports/processes.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";

/** Type of the one record that a rig's merge queue keeps beside its merge requests. */
export const MERGE_QUEUE_TYPE = "merge-queue";
const KEY = "merge-queue";
const QUEUE = "town.queue";
const RUNNING = "town.running";

/** A gate process under way. */
export interface RunningGate extends ProcessIdentity {
  readonly gate: string;
  readonly log: string;
}

/** A record that cannot be read counts as empty: all of it can be found out again. */
export function readQueue(graph: GraphReader): QueueRecord {
  return queueOf(graph.byKey(KEY));
}

function queueOf(record: BeadRecord | undefined): QueueRecord {
  const text = record?.metadata?.[QUEUE];
  if (typeof text !== "string") return EMPTY_QUEUE;
  try {
    return { ...EMPTY_QUEUE, ...(JSON.parse(text) as Partial<QueueRecord>) };
  } catch {
    return EMPTY_QUEUE;
  }
}

export function runningGate(graph: GraphReader): RunningGate | undefined {
  return (graph.byKey(KEY)?.metadata?.[RUNNING] ?? undefined) as RunningGate | undefined;
}

/** Changes what the queue knows; the record is made at the first change. */
export function changeQueue(tx: GraphTransaction, change: (queue: QueueRecord) => QueueRecord): void {
  // As text: the history of the record cuts texts, and would keep an object whole, before and after each change.
  tx.setMetadata(recordOf(tx).id, { [QUEUE]: JSON.stringify(change(readQueue(tx))) });
}

/** null: none runs any more. */
export function noteRunning(tx: GraphTransaction, running: RunningGate | null): void {
  tx.setMetadata(recordOf(tx).id, { [RUNNING]: running });
}

/** Requests whose place a queue's record tells. */
export function queuedIn(record: BeadRecord | undefined): readonly string[] {
  const { batch, waiting } = queueOf(record);
  return [...(batch?.members ?? []), ...waiting].map(({ request }) => request);
}

function recordOf(tx: GraphTransaction): BeadRecord {
  return (
    tx.byKey(KEY) ??
    tx.create({
      title: "Merge queue",
      issue_type: MERGE_QUEUE_TYPE,
      pinned: true,
      metadata: { [META.key]: KEY },
    })
  );
}
