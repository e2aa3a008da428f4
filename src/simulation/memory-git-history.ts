import { AdapterError } from "../errors/town-error.ts";
import type { CommitInfo } from "../ports/git.ts";
import type { MemoryObjects } from "./memory-git-objects.ts";
import { headCommit, type IndexEntry, type RepositoryState, type WorktreeState } from "./memory-git-state.ts";

/** Commit id of a revision in the forms that Town uses: ids, refs, branch names, HEAD, and `~N`, `^N`, `^{commit}`. */
export function resolveRevision(
  repository: RepositoryState,
  worktree: WorktreeState | undefined,
  revision: string,
): string | undefined {
  const match = /^(.*?)((?:~\d*|\^\d*|\^\{commit\})*)$/.exec(revision);
  let id = resolveName(repository, worktree, match?.[1] ?? "");
  for (const step of match?.[2]?.match(/~\d*|\^\{commit\}|\^\d*/g) ?? []) {
    if (id === undefined || step === "^{commit}") continue;
    id = stepBack(repository.objects, id, step);
  }
  return id !== undefined && repository.objects.peekCommit(id) !== undefined ? id : undefined;
}

function stepBack(objects: MemoryObjects, from: string, step: string): string | undefined {
  const count = step.length === 1 ? 1 : Number(step.slice(1));
  if (step.startsWith("^")) return count === 0 ? from : objects.peekCommit(from)?.parents[count - 1];
  let id: string | undefined = from;
  for (let i = 0; i < count && id !== undefined; i++) id = objects.peekCommit(id)?.parents[0];
  return id;
}

function resolveName(
  repository: RepositoryState,
  worktree: WorktreeState | undefined,
  name: string,
): string | undefined {
  if (/^[0-9a-f]{40}$/.test(name)) return name;
  if (name === "HEAD" || name === "@") return headCommit(repository, worktree);
  for (const prefix of ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"]) {
    const ref = `${prefix}${name}`;
    const id = repository.refs.get(repository.symbolic.get(ref) ?? ref);
    if (id !== undefined) return id;
  }
  const originHead = repository.symbolic.get(`refs/remotes/${name}/HEAD`);
  return originHead === undefined ? undefined : repository.refs.get(originHead);
}

export function requireCommit(
  repository: RepositoryState,
  worktree: WorktreeState | undefined,
  revision: string,
): string {
  const id = resolveRevision(repository, worktree, revision);
  if (id !== undefined) return id;
  throw new AdapterError("RevisionNotFound", `Cannot find commit '${revision}' in ${repository.commonDirectory}.`);
}

/** `id` and all its ancestors. */
export function ancestorsOf(objects: MemoryObjects, id: string): Set<string> {
  const seen = new Set<string>();
  const pending = [id];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    pending.push(...(objects.peekCommit(next)?.parents ?? []));
  }
  return seen;
}

/** A best common ancestor: one that no other common ancestor descends from. */
export function mergeBaseOf(objects: MemoryObjects, a: string, b: string): string | undefined {
  const ofA = ancestorsOf(objects, a);
  const common = [...ancestorsOf(objects, b)].filter((id) => ofA.has(id));
  // Parents of common ancestors are common too, so the best ones are those that are nobody's parent.
  const parents = new Set(common.flatMap((id) => objects.peekCommit(id)?.parents ?? []));
  return common.filter((id) => !parents.has(id)).sort(newestFirst(objects))[0];
}

/** Commits of `to` without those of `from`: the newest `limit`, parents before children. */
export function logOf(objects: MemoryObjects, from: string | undefined, to: string, limit: number): CommitInfo[] {
  const hidden = from === undefined ? new Set<string>() : ancestorsOf(objects, from);
  const open = new Set([...ancestorsOf(objects, to)].filter((id) => !hidden.has(id)));
  const children = new Map<string, number>();
  for (const id of open)
    for (const parent of objects.peekCommit(id)?.parents ?? []) children.set(parent, (children.get(parent) ?? 0) + 1);
  const ready = open.has(to) ? [to] : [];
  const ordered: CommitInfo[] = [];
  for (let id = ready.pop(); id !== undefined && ordered.length < limit; id = ready.pop()) {
    const commit = objects.peekCommit(id);
    if (commit === undefined) continue;
    ordered.push(commit);
    for (const parent of [...commit.parents]
      .filter((one) => open.has(one))
      .sort(newestFirst(objects))
      .reverse()) {
      const left = (children.get(parent) ?? 1) - 1;
      children.set(parent, left);
      if (left === 0) ready.push(parent);
    }
  }
  return ordered.reverse();
}

function newestFirst(objects: MemoryObjects): (a: string, b: string) => number {
  const time = (id: string) => objects.peekCommit(id)?.committer.timeMs ?? 0;
  return (a, b) => time(b) - time(a) || (a < b ? -1 : 1);
}

/** Every file below a tree, by path. */
export function filesOfTree(objects: MemoryObjects, tree: string, prefix = ""): Map<string, IndexEntry> {
  const files = new Map<string, IndexEntry>();
  for (const { name, mode, id } of objects.peekTree(tree)) {
    if (mode !== "040000") files.set(prefix + name, { mode, id });
    else for (const [path, entry] of filesOfTree(objects, id, `${prefix}${name}/`)) files.set(path, entry);
  }
  return files;
}

export function filesOfCommit(objects: MemoryObjects, commit: string | undefined): Map<string, IndexEntry> {
  const tree = commit === undefined ? undefined : objects.peekCommit(commit)?.tree;
  return tree === undefined ? new Map() : filesOfTree(objects, tree);
}

/** Writes the trees that hold these files and returns the root's id. */
export function treeOfFiles(objects: MemoryObjects, files: ReadonlyMap<string, IndexEntry>): string {
  const here: { mode: "100644" | "100755" | "120000" | "160000" | "040000"; name: string; id: string }[] = [];
  const below = new Map<string, Map<string, IndexEntry>>();
  for (const [path, { mode, id }] of files) {
    const slash = path.indexOf("/");
    if (slash < 0) {
      here.push({
        mode: mode === "100755" || mode === "120000" || mode === "160000" ? mode : "100644",
        name: path,
        id,
      });
      continue;
    }
    const name = path.slice(0, slash);
    const inside = below.get(name) ?? new Map<string, IndexEntry>();
    below.set(name, inside.set(path.slice(slash + 1), { mode, id }));
  }
  for (const [name, inside] of below) here.push({ mode: "040000", name, id: treeOfFiles(objects, inside) });
  return objects.putTree(here);
}
