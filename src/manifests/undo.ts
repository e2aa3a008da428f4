import { ApiStatusError } from "../errors/town-error.ts";
import type { GitObjects } from "../ports/git.ts";
import type { Caller } from "../resource/caller.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import type { CommitRequest } from "./commit-batch.ts";
import { appendDocument, removeDocument, replaceDocument } from "./file-document.ts";
import { loadFile } from "./load-file.ts";
import { type HistoryEntry, objectHistory } from "./object-history.ts";
import { conflict, type PlannedFile, type WriteContext } from "./plan-write.ts";
import { ParseCache } from "./parse-cache.ts";
import { problemText } from "./problem.ts";
import type { DraftMemory, SourceDraft } from "./source-draft.ts";

export interface UndoOptions {
  readonly objects: GitObjects;
  readonly key: ObjectKey;
  readonly caller: Caller;
  readonly dryRun: boolean;
}

/** A request that puts an object's document back, for `CommitWriter.submit`. `undone` tells the change after the plan. */
export interface UndoRequest extends CommitRequest {
  readonly undone: () => HistoryEntry | undefined;
}

/**
 * Puts back the document that an object had before its last change, with its comments, as a new commit: an update is
 * taken back, a created object goes, a deleted one returns to its file. Undoing twice is doing again. Refused with 409
 * when there is nothing to undo, 422 when the former document is not valid any more.
 */
export function undoRequest({ objects, key, caller, dryRun }: UndoOptions): UndoRequest {
  const memory: DraftMemory = { cache: new ParseCache(), trees: new Map() };
  let undone: HistoryEntry | undefined;
  return {
    caller,
    key,
    dryRun,
    undone: () => undone,
    summary: () =>
      `${key.kind.toLowerCase()} ${key.namespace === undefined ? "" : `${key.namespace}/`}${key.name}: undo "${undone?.subject ?? ""}" (${undone?.commit.slice(0, 12) ?? ""})`,
    async plan(draft, context) {
      undone = draft.commit === undefined ? undefined : await lastChange(key, draft.commit, objects, context, memory);
      if (undone === undefined)
        throw conflict(
          key,
          "nothing about it was ever changed here",
          "See `town history` for the commits of an object.",
        );
      return putBack(undone, key, draft, context);
    },
  };
}

async function lastChange(
  key: ObjectKey,
  from: string,
  objects: GitObjects,
  context: WriteContext,
  memory: DraftMemory,
): Promise<HistoryEntry | undefined> {
  const { entries } = await objectHistory(key, {
    objects,
    from,
    directory: context.directory,
    context,
    memory,
    limit: 1,
  });
  return entries[0];
}

async function putBack(
  undone: HistoryEntry,
  key: ObjectKey,
  draft: SourceDraft,
  context: WriteContext,
): Promise<PlannedFile> {
  const path = draft.pathOf(key) ?? draft.problemOf(key)?.path ?? undone.path;
  const file = await draft.textOf(path);
  const { before } = undone;
  if (before === undefined)
    return {
      path,
      text: file === undefined ? null : (removeDocument(file, key, context.kinds) ?? null),
      isDeclared: false,
    };
  const exists = draft.pathOf(key) !== undefined && file !== undefined;
  const text = exists
    ? replaceDocument(file, key, context.kinds, before.text)
    : appendDocument(file ?? "", before.text);
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
