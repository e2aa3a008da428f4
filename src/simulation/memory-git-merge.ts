import { mergeText } from "./line-merge.ts";
import { filesOfCommit, mergeBaseOf, treeOfFiles } from "./memory-git-history.ts";
import type { MemoryObjects } from "./memory-git-objects.ts";
import type { IndexEntry } from "./memory-git-state.ts";
import { AdapterError } from "../errors/town-error.ts";

type Side = IndexEntry | undefined;

/**
 * Three-way merge of two commits, by file and within files by line. Unlike git it detects no renames, and of several
 * merge bases it takes one instead of merging them first.
 */
export function mergeCommits(
  objects: MemoryObjects,
  ours: string,
  theirs: string,
): { readonly tree: string; readonly conflicts: readonly string[] } {
  const baseCommit = mergeBaseOf(objects, ours, theirs);
  if (baseCommit === undefined) {
    throw new AdapterError("UnrelatedHistories", `Cannot merge ${theirs} into ${ours}: they have no common ancestor.`);
  }
  const [base, left, right] = [baseCommit, ours, theirs].map((one) => filesOfCommit(objects, one));
  const merged = new Map<string, IndexEntry>();
  const conflicts = new Set<string>();
  for (const path of new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])) {
    const result = mergeEntry(objects, base?.get(path), left?.get(path), right?.get(path));
    if (result === "Conflict") conflicts.add(path);
    else if (result !== undefined) merged.set(path, result);
  }
  for (const path of directoryClashes(merged)) conflicts.add(path);
  for (const path of conflicts) merged.delete(path);
  return { tree: treeOfFiles(objects, merged), conflicts: [...conflicts].sort() };
}

function mergeEntry(objects: MemoryObjects, base: Side, ours: Side, theirs: Side): Side | "Conflict" {
  if (same(ours, theirs) || same(base, theirs)) return ours;
  if (same(base, ours)) return theirs;
  if (ours === undefined || theirs === undefined) return "Conflict";
  const mode = ours.mode === theirs.mode || theirs.mode === base?.mode ? ours.mode : theirs.mode;
  if (ours.id === theirs.id) return { mode, id: ours.id };
  const [old, left, right] = [base?.id, ours.id, theirs.id].map((id) => (id === undefined ? "" : objects.peekBlob(id)));
  if (old === undefined || left === undefined || right === undefined) return "Conflict";
  const text = mergeText(old, left, right);
  return text === undefined ? "Conflict" : { mode, id: objects.putBlob(text) };
}

function same(a: Side, b: Side): boolean {
  return a?.id === b?.id && a?.mode === b?.mode;
}

/** Files whose path another file needs as a directory. */
function directoryClashes(files: ReadonlyMap<string, IndexEntry>): string[] {
  const directories = new Set<string>();
  for (const path of files.keys()) {
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1))
      directories.add(path.slice(0, slash));
  }
  return [...files.keys()].filter((path) => directories.has(path));
}
