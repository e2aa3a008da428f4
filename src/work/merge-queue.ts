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

export function readQueue(graph: GraphReader): QueueRecord {
  return { ...EMPTY_QUEUE, ...(graph.byKey(KEY)?.metadata?.[QUEUE] as Partial<QueueRecord> | undefined) };
}

export function runningGate(graph: GraphReader): RunningGate | undefined {
  return (graph.byKey(KEY)?.metadata?.[RUNNING] ?? undefined) as RunningGate | undefined;
}

/** Changes what the queue knows; the record is made at the first change. */
export function changeQueue(tx: GraphTransaction, change: (queue: QueueRecord) => QueueRecord): void {
  const { batch, ...others } = change(readQueue(tx));
  tx.setMetadata(recordOf(tx).id, { [QUEUE]: { ...others, ...(batch === undefined ? {} : { batch }) } });
}

/** null: none runs any more. */
export function noteRunning(tx: GraphTransaction, running: RunningGate | null): void {
  tx.setMetadata(recordOf(tx).id, { [RUNNING]: running });
}

/** Requests whose place a queue's record tells. */
export function queuedIn(record: BeadRecord | undefined): readonly string[] {
  const queue = record?.metadata?.[QUEUE] as Partial<QueueRecord> | undefined;
  return [...(queue?.batch?.members ?? []), ...(queue?.waiting ?? [])].map(({ request }) => request);
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
