import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import { structureProblem } from "../domain/work-graph/record/structure.ts";
import { AdapterError, TownError } from "../errors/town-error.ts";
import type { CommitInfo, GitObjects, Repository } from "../ports/git.ts";
import type { CommitHead } from "./commit-head.ts";
import { formatVersion } from "./paths.ts";
import type { TreeWriter } from "./tree-writer.ts";

/** A file on the branch that is no valid record. */
export interface BadFile {
  readonly path: string;
  readonly commit: string;
  readonly problem: string;
  readonly text: string;
}

export interface CommitRecords {
  readonly records: readonly BeadRecord[];
  readonly bad: readonly BadFile[];
}

const batch = 2_000;

/** All records of a commit. Files that are no records are listed, not thrown. Throws AdapterError `RecordsMissing`. */
export async function readCommitRecords(repository: Repository, commit: string): Promise<CommitRecords> {
  const files: { readonly path: string; readonly blob: string }[] = [];
  for (const { path, id } of await repository.listFiles(commit, ""))
    if (idOfPath(path) !== undefined) files.push({ path, blob: id });
  return readRecordFiles(repository.objects, commit, files);
}

/** The records in the given files of a commit. Throws AdapterError `RecordsMissing`. */
export async function readRecordFiles(
  objects: GitObjects,
  commit: string,
  files: readonly { readonly path: string; readonly blob: string }[],
): Promise<CommitRecords> {
  const records: BeadRecord[] = [];
  const bad: BadFile[] = [];
  for (let from = 0; from < files.length; from += batch) {
    const part = files.slice(from, from + batch);
    const blobs = await objects.readBlobs(part.map(({ blob }) => blob));
    const lost = part.filter(({ blob }) => !blobs.has(blob));
    if (lost.length > 0) throw recordsMissing(`commit ${commit}`, lost);
    for (const { path, blob } of part) {
      const text = blobs.get(blob) ?? "";
      const read = parseRecordFile(path, text);
      if (typeof read === "string") bad.push({ path, commit, problem: read, text });
      else records.push(read);
    }
  }
  return { records, bad };
}

/** Git has lost files of a commit or tree. */
export function recordsMissing(
  holder: string,
  lost: readonly { readonly path: string; readonly blob: string }[],
): AdapterError {
  const [first] = lost;
  const more = lost.length > 1 ? ` and ${lost.length - 1} more` : "";
  return new AdapterError(
    "RecordsMissing",
    `Cannot read the beads of ${holder}: blob ${first?.blob} (${first?.path})${more} is not in the repository.`,
    { hint: "Run `town bd doctor`: it says what is missing and what can be made again." },
  );
}

/** The record in a file of the branch, or what is wrong with it. */
export function parseRecordFile(path: string, text: string): BeadRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "it holds no JSON object";
  const record = value as BeadRecord;
  if (record.id !== idOfPath(path)) return `its id '${String(record.id)}' does not belong at this path`;
  return structureProblem(record) ?? record;
}

/** Refuses a branch that a later version of Town wrote. Throws TownError `FormatTooNew`. */
export async function requireKnownFormat(repository: Repository, trees: TreeWriter, commit: string): Promise<void> {
  const tree = (await repository.objects.readCommit(commit))?.tree;
  const version = tree === undefined ? undefined : await trees.find(tree, versionFile);
  const text = version === undefined ? undefined : await repository.objects.readBlob(version);
  const format = /"format":\s*(\d+)/.exec(text ?? "")?.[1];
  if (format === undefined || Number(format) <= formatVersion) return;
  throw new TownError(
    "FormatTooNew",
    `Cannot read the work branch at ${commit}: it has format ${format}, this version of Town knows ${formatVersion}.`,
    {
      hint: "Use the version of Town that wrote it, or a newer one.",
    },
  );
}

export const versionFile = "version.json";
export const versionText = `${JSON.stringify({ format: formatVersion, records: "ab/cd/<id>.json", log: "log/<yyyy-mm-dd>/<log-id>.jsonl" })}\n`;

/** What is built on when this commit is. */
export async function headOf(repository: Repository, { id, tree }: CommitInfo): Promise<CommitHead> {
  return { commit: id, tree, positions: Object.fromEntries(await positionsAt(repository, id)) };
}

/**
 * How much of each log a commit contains, also when it was made by plain git: then the trailers of its nearest ancestors
 * count.
 */
export async function positionsAt(repository: Repository, commit: string): Promise<ReadonlyMap<string, number>> {
  const positions = new Map<string, number>();
  const seen = new Set([commit]);
  const open = [commit];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const info = await repository.objects.readCommit(next);
    if (info === undefined) continue;
    const own = logPositions(info);
    for (const [id, seq] of own) positions.set(id, Math.max(seq, positions.get(id) ?? 0));
    for (const parent of own.size > 0 ? [] : info.parents) {
      if (seen.has(parent)) continue;
      seen.add(parent);
      open.push(parent);
    }
  }
  return positions;
}

const trailer = /^Town-Wal: ([0-9a-z]+)=(\d+)$/gm;

/** How much of each log a commit contains: log id to seq. */
export function logPositions(commit: CommitInfo): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (const [, id = "", seq = "0"] of commit.message.matchAll(trailer)) {
    positions.set(id, Math.max(positions.get(id) ?? 0, Number(seq)));
  }
  return positions;
}
