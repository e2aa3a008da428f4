import { AdapterError } from "../errors/town-error.ts";
import type { RefUpdate } from "../ports/git.ts";
import { ancestorsOf } from "./memory-git-history.ts";
import { applyRefUpdates, holderOf, setRef, type RepositoryState } from "./memory-git-state.ts";

/** Fetches by refspecs such as `+refs/heads/*:refs/remotes/origin/*`, `refs/heads/main:refs/x` or `refs/heads/main`. */
export function fetchRefs(
  local: RepositoryState,
  remote: RepositoryState,
  refspecs: readonly string[],
  prune: boolean,
): void {
  const problems: string[] = [];
  for (const spec of refspecs.map(parseRefspec)) {
    const wanted = matching(remote, spec);
    if (wanted.size === 0 && !spec.from.endsWith("*")) {
      throw new AdapterError(
        "FetchFailed",
        `Cannot fetch ${spec.from} from ${remote.commonDirectory}: it has no such ref.`,
      );
    }
    for (const [ref, id] of wanted) local.objects.copyFrom(remote.objects, remote.refs.get(ref) ?? id);
    const targets = new Set<string>();
    for (const [ref, id] of wanted) {
      const target = spec.to === undefined ? undefined : mapped(spec.from, spec.to, ref);
      if (target === undefined) continue;
      targets.add(target);
      problems.push(...setFetched(local, target, id, spec.force));
    }
    if (prune && spec.to?.endsWith("*") === true) pruneRefs(local, spec.to.slice(0, -1), targets);
  }
  if (problems.length > 0)
    throw new AdapterError("FetchFailed", `Cannot fetch from ${remote.commonDirectory}: ${problems.join("; ")}.`);
}

interface Refspec {
  readonly force: boolean;
  readonly from: string;
  readonly to: string | undefined;
}

function parseRefspec(text: string): Refspec {
  const force = text.startsWith("+");
  const [from = "", to] = (force ? text.slice(1) : text).split(":");
  return { force, from, to: to === "" ? undefined : to };
}

function matching(remote: RepositoryState, spec: Refspec): Map<string, string> {
  const found = new Map<string, string>();
  const prefix = spec.from.endsWith("*") ? spec.from.slice(0, -1) : undefined;
  const names = [spec.from, `refs/heads/${spec.from}`, `refs/tags/${spec.from}`];
  for (const [ref, id] of remote.refs) {
    if (prefix === undefined ? names.includes(ref) : ref.startsWith(prefix)) found.set(ref, id);
  }
  const exact = /^[0-9a-f]{40}$/.test(spec.from) && remote.objects.has(spec.from);
  return exact ? new Map([[spec.from, spec.from]]) : found;
}

function mapped(from: string, to: string, ref: string): string {
  return from.endsWith("*") ? to.replace("*", () => ref.slice(from.length - 1)) : to;
}

function setFetched(local: RepositoryState, target: string, id: string, force: boolean): string[] {
  const now = local.refs.get(target);
  if (now === id) return [];
  if (holderOf(local, target) !== undefined) return [`${target} is checked out`];
  if (now !== undefined && !force && !ancestorsOf(local.objects, id).has(now))
    return [`${target} would not fast-forward`];
  setRef(local.refs, target, id);
  return [];
}

function pruneRefs(local: RepositoryState, prefix: string, keep: ReadonlySet<string>): void {
  for (const ref of local.refs.keys()) if (ref.startsWith(prefix) && !keep.has(ref)) local.refs.delete(ref);
}

export interface PushUpdate {
  readonly from: string | null;
  readonly ref: string;
  readonly expect: string | null;
}

/** All or nothing, with a lease per ref; a branch that the remote has checked out is refused, as git does by default. */
export function pushRefs(
  local: RepositoryState,
  remote: RepositoryState,
  updates: readonly PushUpdate[],
): "Pushed" | "Rejected" {
  const news = updates.filter(({ from, ref }) => (remote.refs.get(ref) ?? null) !== from);
  for (const { from } of news) {
    if (from !== null && !local.objects.has(from))
      throw new AdapterError("PushFailed", `Cannot push ${from}: there is no such object.`);
  }
  const refused = news.some(
    ({ ref, expect }) => (remote.refs.get(ref) ?? null) !== expect || holderOf(remote, ref) !== undefined,
  );
  if (refused) return "Rejected";
  for (const { from } of news) if (from !== null) remote.objects.copyFrom(local.objects, from);
  const refUpdates: RefUpdate[] = news.map(({ from, ref }) => ({ ref, to: from }));
  return applyRefUpdates(remote, refUpdates) ? "Pushed" : "Rejected";
}
