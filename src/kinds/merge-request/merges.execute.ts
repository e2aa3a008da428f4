import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import { MERGE, recordMerged, sendBack } from "../../work/submission.ts";
import { removeEndedBranches } from "../../work/task-branches.ts";
import { runGate } from "./gate-run.ts";
import { land } from "./landing.ts";
import type { MergePlace } from "./merge-place.ts";
import type { HeadRequest, RigObject } from "./merges.observe.ts";
import type { MergesAction } from "./merges.plan.ts";

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
    case "RecordMerged":
      await graph.transact(AUTHOR, (tx) => recordMerged(tx, action.request, action.commit));
      ports.events.record(
        { kind: "Bead", namespace: rig, name: action.bead },
        { type: "Normal", reason: "Merged", message: `merged in ${action.commit.slice(0, 12)}` },
      );
      await removeEndedBranches(clone, graph, rig);
      return;
    case "Supersede":
      await graph.transact(AUTHOR, (tx) => {
        tx.setMetadata(action.request, { [MERGE.state]: "Superseded", [MERGE.reason]: "its bead is closed" });
        tx.close(action.request, { reason: "Superseded: its bead is closed", force: true });
      });
      return;
    case "SendBack":
      return giveBack(action, at);
    case "Build":
      return build(action, at);
    case "EndGate":
      if ((await ports.processes.probe(action.running)) !== "Dead")
        await ports.processes.terminate(action.running, 2_000);
      await graph.transact(AUTHOR, (tx) => tx.setMetadata(action.request, { [MERGE.running]: null }));
      return;
    case "RunGate":
      return runGate(action, at, signal);
    case "Land":
      return land(action, at);
    default:
      return action satisfies never;
  }
}

async function giveBack(action: Extract<MergesAction, { do: "SendBack" }>, at: MergePlace): Promise<void> {
  const log =
    action.log === undefined ? "" : `\n\nEnd of the log (${action.log}):\n${await tailOf(action.log, at.ports)}`;
  const outcome = await at.graph.transact(AUTHOR, (tx) =>
    sendBack(tx, action.request, {
      reason: action.reason,
      feedback: action.feedback + log,
      maxAttempts: at.object.spec.merge.maxAttempts,
    }),
  );
  if (outcome === "Ended") return;
  at.ports.events.record(
    { kind: "Bead", namespace: at.rig, name: action.bead },
    outcome === "SentBack"
      ? { type: "Warning", reason: "SentBack", message: action.reason }
      : {
          type: "Warning",
          reason: "AttemptsExhausted",
          message: `${action.reason}; sent back ${at.object.spec.merge.maxAttempts} times, a person must look`,
        },
  );
}

async function tailOf(path: string, ports: LoopPorts): Promise<string> {
  const size = (await ports.files.stat(path))?.size ?? 0;
  const bytes = await ports.files.readFrom(path, Math.max(0, size - FEEDBACK_BYTES));
  return bytes === undefined ? "" : new TextDecoder().decode(bytes);
}

/** Builds the commit for the current target and records it before anything is tested or lands. */
async function build(action: Extract<MergesAction, { do: "Build" }>, at: MergePlace): Promise<void> {
  const commit = await writeMergeCommit(action.request, action.target, at);
  await at.clone.updateRefs([{ ref: `refs/town/merge/${action.request.id}`, to: commit }], "town: built for the gates");
  await at.graph.transact(AUTHOR, (tx) =>
    tx.setMetadata(action.request.id, {
      [MERGE.commit]: commit,
      [MERGE.tree]: action.request.tree,
      [MERGE.base]: action.target,
      [MERGE.state]: "Testing",
      [MERGE.reason]: null,
    }),
  );
}

async function writeMergeCommit(request: HeadRequest, target: string, at: MergePlace): Promise<string> {
  const bead = at.graph.get(request.bead);
  const email = bead?.owner ?? "overseer@town.invalid";
  const timeMs = at.ports.clock.now();
  const trailers = `Town-Bead: ${request.bead}\nTown-Agent: ${request.author}\nTown-Merge-Request: ${request.id}`;
  const refinery = { name: `${at.rig}/refinery`, email, timeMs };
  const squash = at.object.spec.merge.strategy === "Squash";
  const title = bead?.title ?? request.title;
  const commit = await at.clone.objects.writeCommit({
    tree: request.tree,
    parents: squash ? [target] : [target, request.head],
    message: squash ? `${title}\n\n${trailers}\n` : `Merge ${request.bead}: ${title}\n\n${trailers}\n`,
    author: squash ? { ...refinery, name: request.author } : refinery,
    committer: refinery,
  });
  await at.clone.objects.sync();
  return commit;
}
