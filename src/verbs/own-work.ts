import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { counted } from "../domain/text/counted.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { TownSpec } from "../kinds/town/town.schema.ts";
import type { CommitInfo } from "../ports/git.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { hookOf } from "../work/agent-record.ts";
import { LEASE_MS } from "../work/hooking.ts";
import { beginAttempt } from "../work/ledger.ts";
import type { SandboxFact } from "../work/sandbox-fact.ts";
import { MERGE } from "../work/submission.ts";
import { type AgentSession, checkFence, hookedBead } from "./agent-session.ts";
import { listed, sandboxPlace, targetOf } from "./sandbox-place.ts";

const MOST_COMMITS = 100;

/**
 * The bead for work that has none: what an agent of a role that keeps its sandbox committed at a person's wish. It is made
 * from the commits and put on the agent's own hook, so that it is handed in as any other. The same commits give the same
 * bead. Throws 409 `NothingOnHook` when there is nothing to hand in or it was handed in before, `UncommittedWork`.
 */
export async function beadForOwnWork(
  session: AgentSession,
  title: string | undefined,
  ports: LoopPorts,
): Promise<BeadRecord> {
  const place = session.role?.spec.lifecycle === "Persistent" ? await sandboxPlace(session, ports) : undefined;
  const branch = place?.status.branch;
  const head = place?.status.head;
  if (place === undefined || branch === undefined || head === undefined) return hookedBead("done", session);
  const { repository, status } = place;
  const target = await targetOf(session.namespace, repository, ports);
  const base = target === undefined ? undefined : await repository.mergeBase(target, head);
  const commits = base === undefined ? [] : await repository.log(base, head, MOST_COMMITS);
  const open = [...status.changed, ...status.untracked];
  if (open.length > 0)
    throw new ApiStatusError(
      409,
      "UncommittedWork",
      `not committed: ${counted(open.length, "file")} (${listed(open)})`,
      {
        hint: 'git add -A && git commit -m "what it is", then: town done',
      },
    );
  const former = handedIn(session, head);
  if (former !== undefined) throw former;
  const newest = commits.at(-1);
  if (base === undefined || newest === undefined) return hookedBead("done", session);
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const { owner } = town?.spec ?? {};
  return session.graph.transact(session.author, (tx) => {
    checkFence(tx, session.name, session.generation);
    const held = hookOf(tx, session.identity);
    if (held !== undefined) return held;
    const key = `own-work/${session.identity}/${head}`;
    const bead =
      tx.byKey(key) ??
      tx.create({
        title: title ?? subjectOf(newest),
        description: commits.map((commit) => `- ${subjectOf(commit)}`).join("\n"),
        ...(owner === undefined ? {} : { owner }),
        metadata: { [META.key]: key },
      });
    const fact: SandboxFact = { agent: session.name, attempt: 0, base, branch };
    tx.setMetadata(bead.id, { [META.sandbox]: fact });
    beginAttempt(tx, bead.id, { agent: session.identity });
    const { generation } = session;
    return tx.claim(bead.id, session.identity, { status: "in_progress", generation, leaseMs: LEASE_MS });
  });
}

/** Commits that were handed in are not handed in again: what became of them says whether they come back. */
function handedIn(session: AgentSession, head: string): ApiStatusError | undefined {
  const all = session.graph.list({
    type: ["merge-request"],
    metadata: { [MERGE.head]: head, [MERGE.author]: session.identity },
  });
  const request = all.find(({ status }) => status !== "closed") ?? all.at(-1);
  if (request === undefined) return undefined;
  const state = request.status === "closed" ? (request.close_reason ?? "it ended") : "it waits to be merged";
  return new ApiStatusError(
    409,
    "NothingOnHook",
    `town done: ${head.slice(0, 12)} was handed in as ${request.id}: ${state}`,
    { hint: "commit what is new, then: town done" },
  );
}

function subjectOf({ message }: Pick<CommitInfo, "message">): string {
  return message.split("\n")[0]?.trim().slice(0, 200) || "work without a message";
}
