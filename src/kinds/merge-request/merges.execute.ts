import { META } from "../../domain/work-graph/bead.ts";
import { withCulprit, withLanded } from "../../domain/merge-queue/queue-record.ts";
import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import { changeQueue, noteRunning } from "../../work/merge-queue.ts";
import { MERGE, recordMerged, sendBack } from "../../work/submission.ts";
import { removeEndedBranches } from "../../work/task-branches.ts";
import { gateLog, runGate } from "./gate-run.ts";
import { land } from "./landing.ts";
import type { MergePlace } from "./merge-place.ts";
import type { RigObject } from "./merges.observe.ts";
import type { MergesAction } from "./merges.plan.ts";
import { builtRef, stack } from "./stacking.ts";

const AUTHOR = { actor: "loop/merges" };
const FEEDBACK_BYTES = 4_096;

export async function executeMerges(
  action: MergesAction,
  object: RigObject,
  ports: LoopPorts,
  signal?: AbortSignal,
): Promise<void> {
  const rig = object.metadata.name;
  const graph = ports.graphs.graph(rig);
  const clone = await ports.git.open(ports.layout.clone(rig));
  if (graph === undefined || clone === undefined)
    throw new WaitingError("RigNotReady", `rig ${rig} is not open`, 1_000);
  const at = { rig, graph, clone, ports, object };
  switch (action.do) {
    case "EndGate":
      if ((await ports.processes.probe(action.running)) !== "Dead")
        await ports.processes.terminate(action.running, 2_000);
      await graph.transact(AUTHOR, (tx) => noteRunning(tx, null));
      return;
    case "RecordLanded":
      return recordLanded(action, at);
    case "RecordMerged":
      await graph.transact(AUTHOR, (tx) => recordMerged(tx, action.request.id, action.commit));
      return afterMerged([{ bead: action.request.bead, request: action.request.id, commit: action.commit }], at);
    case "Supersede":
      await graph.transact(AUTHOR, (tx) => {
        tx.setMetadata(action.request.id, { [MERGE.state]: "Superseded", [MERGE.reason]: "its bead is closed" });
        tx.close(action.request.id, { reason: "Superseded: its bead is closed", force: true });
      });
      return forgetBuilt([action.request.id], at);
    case "Dissolve":
      await graph.transact(AUTHOR, (tx) => changeQueue(tx, (queue) => ({ ...queue, batch: undefined })));
      ports.events.record(
        { kind: "Rig", name: rig },
        { type: "Normal", reason: "BatchDissolved", message: `the batch is stacked anew: ${action.reason}` },
      );
      return;
    case "SendBack":
      return giveBack(action, at);
    case "Stack":
      return stack(action, at);
    case "NoteWaiting":
      await graph.transact(AUTHOR, (tx) => changeQueue(tx, (queue) => ({ ...queue, waiting: action.waiting })));
      return;
    case "RunGate":
      return runGate(action, at, signal);
    case "Land":
      return land(action, at);
    default:
      return action satisfies never;
  }
}

/** Closes the requests whose commits are in the target, all at once. What is behind them stays stacked, if it stands. */
async function recordLanded(action: Extract<MergesAction, { do: "RecordLanded" }>, at: MergePlace): Promise<void> {
  const { members, target } = action;
  const merged = members.map(({ request, commit }) => ({
    bead: String(at.graph.get(request)?.metadata?.[META.bead]),
    request,
    commit,
  }));
  await at.graph.transact(AUTHOR, (tx) => {
    for (const { request, commit } of members) recordMerged(tx, request, commit);
    const { maxBatch } = at.object.spec.merge;
    changeQueue(tx, (queue) => {
      const next = withLanded(queue, members.length, maxBatch);
      return next.batch?.base === target ? next : { ...next, batch: undefined };
    });
  });
  await afterMerged(merged, at);
}

async function afterMerged(
  merged: readonly { readonly bead: string; readonly request: string; readonly commit: string }[],
  at: MergePlace,
): Promise<void> {
  const { ports, clone, graph, rig } = at;
  for (const { bead, commit } of merged)
    ports.events.record(
      { kind: "Bead", namespace: rig, name: bead },
      { type: "Normal", reason: "Merged", message: `merged in ${commit.slice(0, 12)}` },
    );
  await removeEndedBranches(clone, graph, rig);
  await forgetBuilt(
    merged.map(({ request }) => request),
    at,
  );
}

/** What was built for requests that ended; their own commits stay pinned. The collection loop does it after a crash. */
async function forgetBuilt(requests: readonly string[], { clone }: MergePlace): Promise<void> {
  await clone.updateRefs(
    requests.map((request) => ({ ref: builtRef(request), to: null })),
    "town: the merge request ended",
  );
}

async function giveBack(action: Extract<MergesAction, { do: "SendBack" }>, at: MergePlace): Promise<void> {
  const { request, culpritOf, reason } = action;
  const { maxAttempts, maxBatch } = at.object.spec.merge;
  const log = culpritOf === undefined ? undefined : gateLog(at, request.id, culpritOf);
  const end = log === undefined ? "" : `\n\nEnd of the log (${log}):\n${await tailOf(log, at.ports)}`;
  const outcome = await at.graph.transact(AUTHOR, (tx) => {
    if (log !== undefined) {
      tx.setMetadata(request.id, { [MERGE.log]: log });
      changeQueue(tx, (queue) => withCulprit(queue, maxBatch));
    }
    return sendBack(tx, request.id, { reason, feedback: action.feedback + end, maxAttempts });
  });
  await forgetBuilt([request.id], at);
  if (outcome === "Ended") return;
  at.ports.events.record(
    { kind: "Bead", namespace: at.rig, name: request.bead },
    outcome === "SentBack"
      ? { type: "Warning", reason: "SentBack", message: reason }
      : {
          type: "Warning",
          reason: "AttemptsExhausted",
          message: `${reason}; sent back ${maxAttempts} times, a person must look`,
        },
  );
}

async function tailOf(path: string, ports: LoopPorts): Promise<string> {
  const size = (await ports.files.stat(path))?.size ?? 0;
  const bytes = await ports.files.readFrom(path, Math.max(0, size - FEEDBACK_BYTES));
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}
