import { ApiStatusError } from "../errors/town-error.ts";
import type { GitObjects } from "../ports/git.ts";
import type { Caller } from "../resource/caller.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import type { CommitRequest } from "./commit-batch.ts";
import { appendDocument, documentIn, removeDocument, replaceDocument } from "./file-document.ts";
import { loadFile } from "./load-file.ts";
import { type HistoryEntry, objectHistory } from "./object-history.ts";
import { conflict, type PlannedFile, type WriteContext } from "./plan-write.ts";
import { ParseCache } from "./parse-cache.ts";
import { problemText } from "./problem.ts";
import { SourceDraft } from "./source-draft.ts";

interface UndoOptions {
  readonly objects: GitObjects;
  readonly key: ObjectKey;
  readonly caller: Caller;
  readonly dryRun: boolean;
  /** Commit whose document is wanted. Default: the one before the last change. */
  readonly to?: string;
}

/** A request that puts an object's document back, for `CommitWriter.submit`. */
interface UndoRequest extends CommitRequest {
  /** After the plan: the change that is taken back; undefined with `to`. */
  readonly undone: () => HistoryEntry | undefined;
}

/**
 * Puts back the document that an object had before its last change, or at a commit, with its comments, as a new commit:
 * an update is taken back, a created object goes, a deleted one returns to its file. Undoing twice is doing again.
 * Refused with 409 when there is nothing to undo, 422 when the former document is not valid any more.
 */
export function undoRequest({ objects, key, caller, dryRun, to }: UndoOptions): UndoRequest {
  const cache = new ParseCache();
  const name = `${key.kind.toLowerCase()} ${key.namespace === undefined ? "" : `${key.namespace}/`}${key.name}`;
  let undone: HistoryEntry | undefined;
  return {
    caller,
    key,
    dryRun,
    undone: () => undone,
    summary: () =>
      to === undefined
        ? `${name}: undo "${undone?.subject ?? ""}" (${undone?.commit.slice(0, 12) ?? ""})`
        : `${name}: as at ${to.slice(0, 12)}`,
    async plan(draft, context) {
      if (to !== undefined) return putBack(await documentAt(key, to, objects, context, cache), key, draft, context);
      undone = draft.commit === undefined ? undefined : await lastChange(key, draft.commit, objects, context, cache);
      if (undone === undefined)
        throw conflict(
          key,
          "nothing about it was ever changed here",
          "See `town history` for the commits of an object.",
        );
      return putBack({ path: undone.path, text: undone.before?.text }, key, draft, context);
    },
  };
}

/** A document to put back, and where it was; without text: there was none. */
interface Former {
  readonly path: string;
  readonly text: string | undefined;
}

async function lastChange(
  key: ObjectKey,
  from: string,
  objects: GitObjects,
  context: WriteContext,
  cache: ParseCache,
): Promise<HistoryEntry | undefined> {
  const { entries } = await objectHistory(key, {
    objects,
    from,
    directory: context.directory,
    context,
    cache,
    limit: 1,
  });
  return entries[0];
}

async function documentAt(
  key: ObjectKey,
  commit: string,
  objects: GitObjects,
  context: WriteContext,
  cache: ParseCache,
): Promise<Former> {
  const draft = await SourceDraft.open(objects, commit, context.directory, context, cache);
  const path = draft.pathOf(key);
  const text = path === undefined ? undefined : documentIn((await draft.textOf(path)) ?? "", key, context.kinds)?.text;
  if (path === undefined || text === undefined)
    throw conflict(
      key,
      `it has no valid document at ${commit}`,
      "See `town history` for the commits of an object; delete it with `town delete`.",
    );
  return { path, text };
}

async function putBack(
  former: Former,
  key: ObjectKey,
  draft: SourceDraft,
  context: WriteContext,
): Promise<PlannedFile | undefined> {
  const path = draft.pathOf(key) ?? draft.problemOf(key)?.path ?? former.path;
  const file = await draft.textOf(path);
  if (former.text === undefined)
    return {
      path,
      text: file === undefined ? null : (removeDocument(file, key, context.kinds) ?? null),
      isDeclared: false,
    };
  const exists = file !== undefined && documentIn(file, key, context.kinds) !== undefined;
  const text = exists
    ? replaceDocument(file, key, context.kinds, former.text)
    : appendDocument(file ?? "", former.text);
  if (text === file) return undefined;
  requireValid(path, text, key, context);
  return { path, text, isDeclared: true };
}

function requireValid(path: string, text: string, key: ObjectKey, context: WriteContext): void {
  const { objects, problems } = loadFile(path, text, context);
  if (objects.some((object) => keyText(object.key) === keyText(key))) return;
  const own = problems.filter((problem) => problem.key !== undefined && keyText(problem.key) === keyText(key));
  throw new ApiStatusError(
    422,
    "Invalid",
    `${keyText(key)} was not changed: its former document is not valid any more: ${own.map(problemText).join("; ")}`,
    { hint: "Write the document anew." },
  );
}
