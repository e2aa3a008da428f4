import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { GitObjects, Repository, TreeEntry } from "../ports/git.ts";
import type { BadFile } from "./git-records.ts";
import { headOf, parseRecordFile } from "./git-records.ts";
import type { CommitHead } from "./commit-head.ts";

/** An object that a commit needs and that git does not have, or has damaged. */
export interface LostObject {
  readonly kind: "commit" | "tree" | "blob";
  readonly id: string;
  /** Where it belongs in the commit; empty for the commit itself and its root. */
  readonly path: string;
}

/** All that can be read of one commit of the work branch. */
export interface Survey {
  readonly commit: string;
  /** Undefined when the commit itself is lost. */
  readonly head: CommitHead | undefined;
  readonly parents: readonly string[];
  readonly records: readonly BeadRecord[];
  /** Files in the place of records that are there and are none. */
  readonly bad: readonly BadFile[];
  /** Other files that can be read: path to blob. */
  readonly files: ReadonlyMap<string, string>;
  readonly lost: readonly LostObject[];
}

interface Found {
  readonly path: string;
  readonly id: string;
}

/**
 * Reads everything in a commit, for when something of it may be gone: what is lost is listed, not thrown. Trees that only
 * this process remembers are written again with the next `restore`. Costs as much as loading the graph without a cache.
 */
export async function surveyCommit(repository: Repository, commit: string): Promise<Survey> {
  const { objects } = repository;
  const info = await objects.readCommit(commit);
  if (info === undefined)
    return {
      commit,
      head: undefined,
      parents: [],
      records: [],
      bad: [],
      files: new Map(),
      lost: [{ kind: "commit", id: commit, path: "" }],
    };
  const { trees, blobs, unread } = await walk(objects, info.tree);
  const gone = await objects.missing([commit, ...trees.map(({ id }) => id), ...blobs.map(({ id }) => id)]);
  const texts = await objects.readBlobs(blobs.map(({ id }) => id));
  const records: BeadRecord[] = [];
  const bad: BadFile[] = [];
  const files = new Map<string, string>();
  const lost: LostObject[] = unread.map(({ path, id }) => ({ kind: "tree", id, path }));
  if (gone.has(commit)) lost.push({ kind: "commit", id: commit, path: "" });
  for (const { path, id, entries } of trees) {
    if (!gone.has(id)) continue;
    lost.push({ kind: "tree", id, path });
    await objects.writeTree(entries);
  }
  for (const { path, id } of blobs) {
    const text = texts.get(id);
    if (text === undefined || gone.has(id)) lost.push({ kind: "blob", id, path });
    if (text === undefined) continue;
    const read = idOfPath(path) === undefined ? undefined : parseRecordFile(path, text);
    if (read === undefined) files.set(path, id);
    else if (typeof read === "string") bad.push({ path, commit, problem: read, text });
    else records.push(read);
  }
  return { commit, head: await headOf(repository, info), parents: info.parents, records, bad, files, lost };
}

/** All trees and blobs below a tree; `unread`: the trees that are not there. */
async function walk(
  objects: GitObjects,
  root: string,
): Promise<{
  readonly trees: readonly (Found & { readonly entries: readonly TreeEntry[] })[];
  readonly blobs: readonly Found[];
  readonly unread: readonly Found[];
}> {
  const trees: (Found & { readonly entries: readonly TreeEntry[] })[] = [];
  const blobs: Found[] = [];
  const unread: Found[] = [];
  for (let level: readonly Found[] = [{ path: "", id: root }]; level.length > 0; ) {
    const next: Found[] = [];
    const read = await Promise.all(level.map(({ id }) => entriesOf(objects, id)));
    level.forEach((tree, i) => {
      const entries = read[i];
      if (entries === undefined) {
        unread.push(tree);
        return;
      }
      trees.push({ ...tree, entries });
      for (const { name, id, mode } of entries) {
        const found = { path: tree.path === "" ? name : `${tree.path}/${name}`, id };
        if (mode === "040000") next.push(found);
        // A commit of another repository is none of ours to keep.
        else if (mode !== "160000") blobs.push(found);
      }
    });
    level = next;
  }
  return { trees, blobs, unread };
}

async function entriesOf(objects: GitObjects, tree: string): Promise<readonly TreeEntry[] | undefined> {
  try {
    return await objects.readTree(tree);
  } catch (error) {
    if (error instanceof AdapterError && error.reason === "ObjectMissing") return undefined;
    throw error;
  }
}

/** Something a commit needs is not in the repository. */
export function isLoss(error: unknown): boolean {
  return error instanceof AdapterError && lossReasons.has(error.reason);
}

// `GitFailed`: what git says of a tree that is gone when it lists or compares; whoever asks then looks for himself.
const lossReasons = new Set(["CommitMissing", "ObjectMissing", "RecordsMissing", "RevisionNotFound", "GitFailed"]);
