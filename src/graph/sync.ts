import type { LostClaim } from "../domain/work-graph/merge/merge-graphs.ts";
import { TownError, WaitingError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { AbsorbReport } from "./absorb.ts";
import type { GitGraph } from "./git-graph.ts";

export interface SyncOptions {
  /** Name of a remote or a URL. */
  readonly remote: string;
  readonly clock: Clock;
  readonly random: Random;
  /** False: only take in what others pushed. Default true. */
  readonly push?: boolean;
  /** For each fetch and push, ms. Default 60,000. */
  readonly timeoutMs?: number;
  /** How often to start over when others push meanwhile. Default 8. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

export interface SyncReport {
  /** Tip of our branch afterwards. */
  readonly commit: string;
  readonly pushed: boolean;
  readonly taken: readonly AbsorbReport[];
  /** Claims of ours that somebody else had pushed first: whoever works on them must stop. */
  readonly lostClaims: readonly LostClaim[];
}

const backoffMs = 50;
const maxBackoffMs = 2_000;
/** A remote that has a moment's trouble is asked so often again. */
const refusalsHeard = 1;
/** What git says when somebody else was faster (remote.c, builtin/receive-pack.c). */
const others = /stale info|fetch first|non-fast-forward|incorrect old value|failed to (?:update|lock)|cannot lock/;

/**
 * Exchanges the work branch with a remote: fetch, merge by field, push by compare-and-swap, again while others are faster.
 * Throws WaitingError `RemoteBusy` after the last attempt, TownError `RemoteRefuses`, AdapterError when the remote cannot be reached.
 */
export async function syncGraph(graph: GitGraph, options: SyncOptions): Promise<SyncReport> {
  const taken: AbsorbReport[] = [];
  const attempts = options.attempts ?? 8;
  const timeoutMs = options.timeoutMs ?? 60_000;
  let refusedAt: string | null | undefined;
  let refusals = 0;
  for (let attempt = 1; ; attempt++) {
    const remoteTip = await fetchTip(graph, options.remote, timeoutMs);
    const report = remoteTip === undefined ? undefined : await graph.absorb(remoteTip);
    if (report !== undefined) taken.push(report);
    const { commit } = await graph.flush();
    const done = { commit, taken, lostClaims: taken.flatMap(({ lostClaims }) => lostClaims) };
    if (options.push === false) return { ...done, pushed: false };
    if (commit === remoteTip) return { ...done, pushed: true };
    let said = "";
    const outcome = await graph.repository.push(
      options.remote,
      [{ from: commit, ref: graph.branch, expect: remoteTip ?? null }],
      { timeoutMs, refused: (words) => (said = words) },
    );
    if (outcome === "Pushed") return { ...done, pushed: true };
    // Nobody was faster, and it says no again and again.
    if (refusedAt === (remoteTip ?? null) && !others.test(said) && ++refusals > refusalsHeard)
      throw remoteRefuses(graph, options.remote, said);
    refusedAt = remoteTip ?? null;
    if (attempt >= attempts || options.signal?.aborted === true) throw remoteBusy(graph, options.remote, attempt);
    const pause = Math.min(maxBackoffMs, backoffMs * 2 ** attempt) * (0.5 + options.random.float() / 2);
    await options.clock.sleep(pause, options.signal);
  }
}

/** Tip of the branch at the remote; undefined when it has none yet. */
async function fetchTip(graph: GitGraph, remote: string, timeoutMs: number): Promise<string | undefined> {
  const name = graph.branch.replace(/^refs\/heads\//, "");
  const folder = `refs/town/remotes/${remote.replace(/[^A-Za-z0-9_-]+/g, "-")}`;
  // A pattern, because git refuses to fetch a ref by name that is not there; prune, so that a deleted one is not taken for true.
  await graph.repository.fetch(remote, [`+refs/heads/${name}*:${folder}/${name}*`], { timeoutMs, prune: true });
  return graph.repository.resolve(`${folder}/${name}`);
}

function remoteRefuses(graph: GitGraph, remote: string, said: string): TownError {
  return new TownError(
    "RemoteRefuses",
    `Cannot push ${graph.branch} of ${graph.namespace} to ${remote}: the remote refuses it: ${said}`,
    {
      hint: "Nothing is lost. Allow pushes to that branch there (a hook, a protected branch, rights), or only take in: `town bd sync --no-push`.",
    },
  );
}

function remoteBusy(graph: GitGraph, remote: string, attempts: number): WaitingError {
  return new WaitingError(
    "RemoteBusy",
    `Cannot push ${graph.branch} of ${graph.namespace} to ${remote}: others pushed first, ${attempts} times.`,
    5_000,
    {
      hint: "Nothing is lost; run it again.",
    },
  );
}
