import type { GitIdentity, GitObjects } from "../ports/git.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { documentIn, type FileDocument } from "./file-document.ts";
import { entryAt } from "./git-tree.ts";
import type { LoadContext } from "./load-file.ts";
import { sameStatement } from "./object-diff.ts";
import type { ParseCache } from "./parse-cache.ts";
import { SourceDraft } from "./source-draft.ts";

/** One commit that changed what an object's document says. */
export interface HistoryEntry {
  readonly commit: string;
  readonly author: GitIdentity;
  /** First line of the message. */
  readonly subject: string;
  readonly change: "Created" | "Updated" | "Deleted";
  /** File after the change, or before a deletion. */
  readonly path: string;
  /** The documents as they stand in their files; undefined where there was none. */
  readonly before: FileDocument | undefined;
  readonly after: FileDocument | undefined;
}

interface HistoryOptions {
  readonly objects: GitObjects;
  /** Commit to look back from. */
  readonly from: string;
  readonly directory: string;
  readonly context: LoadContext;
  readonly cache: ParseCache;
  /** Entries wanted. */
  readonly limit: number;
  /** Commits looked at before giving up. Default 10,000. */
  readonly maxCommits?: number;
}

interface State {
  readonly path: string;
  /** Blob id of the file. */
  readonly file: string;
  /** Undefined while the document cannot be read. */
  readonly document: FileDocument | undefined;
}

/**
 * The commits that changed an object, newest first, along the first parents (a merge counts as one change). The object
 * is followed by kind, namespace and name wherever its file goes; moves, comments and broken versions are no changes of
 * their own. `complete` is false when `maxCommits` ended the search.
 */
export async function objectHistory(
  key: ObjectKey,
  options: HistoryOptions,
): Promise<{ readonly entries: readonly HistoryEntry[]; readonly complete: boolean }> {
  const { objects, limit, maxCommits = 10_000 } = options;
  const entries: HistoryEntry[] = [];
  let commit = await objects.readCommit(options.from);
  let state = commit === undefined ? undefined : await stateAt(key, commit.tree, commit.id, undefined, options);
  for (let seen = 0; commit !== undefined && entries.length < limit; seen += 1) {
    if (seen >= maxCommits) return { entries, complete: false };
    const [parentId] = commit.parents;
    const parent = parentId === undefined ? undefined : await objects.readCommit(parentId);
    const former =
      parent === undefined
        ? undefined
        : await stateAt(key, parent.tree, parent.id, { state, tree: commit.tree }, options);
    const change = changeBetween(former, state);
    if (change !== undefined) {
      const path = (state ?? former)?.path ?? "";
      entries.push({
        commit: commit.id,
        author: commit.author,
        subject: commit.message.split("\n")[0] ?? "",
        change,
        path,
        before: former?.document,
        after: state?.document,
      });
    }
    // A broken version is passed over: what was before it is compared with what came after.
    state =
      former !== undefined && former.document === undefined && state?.document !== undefined
        ? { ...former, document: state.document }
        : former;
    commit = parent;
  }
  return { entries, complete: true };
}

function changeBetween(former: State | undefined, state: State | undefined): HistoryEntry["change"] | undefined {
  if (former === undefined) return state === undefined ? undefined : "Created";
  if (state === undefined) return "Deleted";
  if (former.document === undefined || state.document === undefined) return undefined;
  return sameStatement(former.document.value, state.document.value) ? undefined : "Updated";
}

/** Where the object is at a commit. `next` is its state one commit later, which usually spares the search. */
async function stateAt(
  key: ObjectKey,
  tree: string,
  commit: string,
  next: { readonly state: State | undefined; readonly tree: string } | undefined,
  options: HistoryOptions,
): Promise<State | undefined> {
  const { objects, directory, context, cache } = options;
  if (next !== undefined && (await sameDirectory(objects, tree, next.tree, directory))) return next.state;
  const known = next?.state;
  const there = known === undefined ? undefined : await entryAt(objects, tree, known.path);
  if (known !== undefined && there?.id === known.file) return known;
  const near =
    known === undefined || there === undefined ? undefined : await stateIn(key, known.path, there.id, options);
  if (near?.document !== undefined) return near;
  const source = await SourceDraft.open(objects, commit, directory, context, cache);
  const path = source.pathOf(key) ?? source.problemOf(key)?.path;
  const file = path === undefined ? undefined : await entryAt(objects, tree, path);
  return path === undefined || file === undefined ? undefined : stateIn(key, path, file.id, options);
}

async function stateIn(
  key: ObjectKey,
  path: string,
  file: string,
  { objects, context }: HistoryOptions,
): Promise<State> {
  const text = (await objects.readBlob(file)) ?? "";
  return { path, file, document: documentIn(text, key, context.kinds) };
}

async function sameDirectory(objects: GitObjects, a: string, b: string, directory: string): Promise<boolean> {
  if (a === b) return true;
  if (directory === "") return false;
  return (await entryAt(objects, a, directory))?.id === (await entryAt(objects, b, directory))?.id;
}
