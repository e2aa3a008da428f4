import { matchesPath } from "../../domain/merge-queue/path-pattern.ts";
import { type BatchMember, withBatch } from "../../domain/merge-queue/queue-record.ts";
import { changeQueue } from "../../work/merge-queue.ts";
import { MERGE } from "../../work/submission.ts";
import { commandGates } from "./gate-script.ts";
import type { MergePlace } from "./merge-place.ts";
import type { QueuedRequest } from "./merges.observe.ts";
import type { MergesAction } from "./merges.plan.ts";

const AUTHOR = { actor: "loop/merges" };

/** Where what is built for a request is kept until it ended. */
export function builtRef(request: string): string {
  return `refs/town/merge/${request}`;
}

/**
 * Builds the commits of a batch, each on the one before it, and records them before anything is tested or lands. What
 * conflicts with those in front of it stays behind: it is looked at again when they landed, or did not.
 */
export async function stack(action: Extract<MergesAction, { do: "Stack" }>, at: MergePlace): Promise<void> {
  const { target, requests } = action;
  const members: BatchMember[] = [];
  const behind = new Set<string>();
  for (const request of requests) {
    const tip = members.at(-1)?.commit ?? target.commit;
    const merge =
      members.length === 0 && request.alone !== undefined ? request.alone : await at.clone.mergeTree(tip, request.head);
    if (merge.conflicts.length > 0) {
      behind.add(request.id);
      continue;
    }
    const commit = await writeMergeCommit(request, { tip, tree: merge.tree }, at);
    const untouched = await untouchedGates(tip, commit, at);
    members.push({
      request: request.id,
      head: request.head,
      commit,
      tree: merge.tree,
      ...(untouched.length === 0 ? {} : { untouched }),
    });
  }
  await at.clone.updateRefs(
    members.map(({ request, commit }) => ({ ref: builtRef(request), to: commit })),
    "town: built for the gates",
  );
  const stacked = new Set(members.map(({ request }) => request));
  const waiting = action.waiting
    .filter(({ request }) => !stacked.has(request))
    .map((each) => (behind.has(each.request) ? { ...each, reason: "conflicts with the batch in front of it" } : each));
  await at.graph.transact(AUTHOR, (tx) => {
    changeQueue(tx, (queue) => withBatch(queue, { base: target.commit, baseTree: target.tree, members }, waiting));
    for (const { request, commit, tree } of members)
      tx.setMetadata(request, { [MERGE.commit]: commit, [MERGE.tree]: tree });
  });
}

/** Gates that only run for certain files, none of which differ. */
async function untouchedGates(from: string, to: string, at: MergePlace): Promise<readonly string[]> {
  const choosy = commandGates(at.object.spec).filter((gate) => gate.when !== undefined);
  if (choosy.length === 0) return [];
  const files = await at.clone.changedFiles(from, to);
  return choosy
    .filter(({ when }) => !files.some((file) => when?.paths.some((pattern) => matchesPath(pattern, file))))
    .map((gate) => gate.name);
}

async function writeMergeCommit(
  request: QueuedRequest,
  on: { readonly tip: string; readonly tree: string },
  at: MergePlace,
): Promise<string> {
  const bead = at.graph.get(request.bead);
  const email = bead?.owner ?? "overseer@town.invalid";
  const trailers = `Town-Bead: ${request.bead}\nTown-Agent: ${request.author}\nTown-Merge-Request: ${request.id}`;
  const refinery = { name: `${at.rig}/refinery`, email, timeMs: at.ports.clock.now() };
  const squash = at.object.spec.merge.strategy === "Squash";
  const title = bead?.title ?? request.title;
  const commit = await at.clone.objects.writeCommit({
    tree: on.tree,
    parents: squash ? [on.tip] : [on.tip, request.head],
    message: squash ? `${title}\n\n${trailers}\n` : `Merge ${request.bead}: ${title}\n\n${trailers}\n`,
    author: squash ? { ...refinery, name: request.author } : refinery,
    committer: refinery,
  });
  // The next merge is done by another process, which must find it.
  await at.clone.objects.sync();
  return commit;
}
