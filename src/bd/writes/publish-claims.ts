import { messageOf, TownError } from "../../errors/town-error.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { remoteOf } from "../access/settings.ts";
import type { Call } from "../command.ts";
import type { Outcome } from "./each-bead.ts";

/** Claims that hold in every clone, and what became of the others. */
export interface PublishedClaims<T> {
  readonly held: readonly Outcome<T>[];
  readonly notes: readonly string[];
}

/**
 * Puts claims that were made here before everybody: the branch is pushed by compare-and-swap, so that of clones that want one
 * bead the first to push has it. A claim that comes too late is dropped here (the merge takes the winner's), and one that
 * cannot be pushed is given back, so that nobody works on what others may have.
 *
 * `before`: ids the caller held already; those are never given back. Throws TownError `NotPublished` when nothing could be
 * pushed.
 */
export async function publishClaims<T>(
  call: Call,
  claimed: readonly Outcome<T>[],
  before: ReadonlySet<string>,
): Promise<PublishedClaims<T>> {
  const held: Outcome<T>[] = [];
  const notes: string[] = [];
  for (const graph of new Set(claimed.map((outcome) => outcome.graph))) {
    const here = claimed.filter((outcome) => outcome.graph === graph);
    await publish(
      call,
      graph,
      here.map(({ id }) => id).filter((id) => !before.has(id)),
    );
    for (const outcome of here) {
      const winner = graph.get(outcome.id)?.assignee;
      if (winner === call.author.actor) held.push(outcome);
      else
        notes.push(
          `Error: ${outcome.id}: already claimed by ${winner ?? "somebody who gave it back"} in another clone`,
        );
    }
  }
  return { held, notes };
}

async function publish(call: Call, graph: WorkGraph, fresh: readonly string[]): Promise<void> {
  const { tools, signal } = call.context;
  try {
    const remote = await remoteOf(graph, call.context);
    const { pushed } = await tools.sync(graph, { remote, push: true, ...(signal === undefined ? {} : { signal }) });
    if (pushed) return;
    throw new TownError("NotPublished", "this store does not leave this machine", {
      hint: "claim without --sync; in a town, set spec.push.work of the rig",
    });
  } catch (error) {
    await call.transact(
      graph,
      (tx) => {
        for (const id of fresh) {
          if (tx.get(id)?.assignee === call.author.actor)
            tx.release(id, { reason: "the claim could not be published" });
        }
      },
      `unpublished ${fresh.join(" ")}`,
    );
    throw new TownError("NotPublished", `cannot claim in front of other clones: ${messageOf(error)}`, {
      cause: error,
      hint: (error instanceof TownError ? error.hint : undefined) ?? "nothing is claimed; try again",
    });
  }
}
