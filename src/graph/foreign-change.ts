import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { idOfPath, recordPath } from "../domain/work-graph/ids/record-path.ts";
import { recordProblems } from "../domain/work-graph/record/check-record.ts";
import { sameJson } from "../domain/work-graph/record/canonical.ts";
import type { StatusBook } from "../domain/work-graph/record/statuses.ts";
import { formatStamp, timeOf } from "../domain/work-graph/record/stamp.ts";
import type { CommitInfo, Repository } from "../ports/git.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import { parseEventLine } from "./event-log.ts";
import type { BadFile } from "./git-records.ts";
import { logPositions, parseRecordFile, recordsMissing, versionFile } from "./git-records.ts";
import { requireCommit } from "./load-commit.ts";
import type { TreeWriter } from "./tree-writer.ts";

/** What a commit of somebody else changed since a base. */
export interface ForeignChange {
  readonly changed: readonly string[];
  readonly base: ReadonlyMap<string, BeadRecord>;
  readonly theirs: ReadonlyMap<string, BeadRecord>;
  /** Files that are no valid records; their ids are not in `changed`. */
  readonly bad: readonly BadFile[];
  /** Ids whose files must be written over: those in `bad`, and those whose editor left the time of the change to us. */
  readonly unlikeIds: readonly string[];
  /** Changed files that are no records: path to blob, null when removed. */
  readonly files: ReadonlyMap<string, string | null>;
  /** Who changed a record with plain git rather than through a store. */
  readonly editors: ReadonlyMap<string, string>;
}

const maxCommits = 1_000;

export class ForeignReader {
  readonly #repository: Repository;
  readonly #trees: TreeWriter;
  readonly #statuses: () => StatusBook;

  constructor(repository: Repository, trees: TreeWriter, statuses: () => StatusBook) {
    this.#repository = repository;
    this.#trees = trees;
    this.#statuses = statuses;
  }

  /**
   * Reads what `theirs` changed since `base` (undefined: everything in it). Throws AdapterError `CommitMissing`,
   * `RecordsMissing`.
   */
  async read(base: string | undefined, theirs: string): Promise<ForeignChange> {
    const { tree } = await requireCommit(this.#repository, theirs);
    const baseTree = base === undefined ? undefined : await this.#treeOf(base);
    const paths = await this.#changedPaths(base, theirs);
    const editors = await this.#editors(base, theirs);
    const changed: string[] = [];
    const bad: BadFile[] = [];
    const unlikeIds: string[] = [];
    const files = new Map<string, string | null>();
    const baseRecords = new Map<string, BeadRecord>();
    const records = new Map<string, BeadRecord>();
    const texts = await this.#texts(tree, paths, { isNeeded: true });
    const keeps = await this.#keptRecords({ tree, baseTree, paths, texts });
    const baseTexts = baseTree === undefined ? new Map<string, string>() : await this.#texts(baseTree, paths);
    for (const path of paths) {
      const id = idOfPath(path);
      if (id === undefined) {
        files.set(path, (await this.#trees.find(tree, path)) ?? null);
        continue;
      }
      const old = parsed(path, baseTexts.get(path));
      if (old !== undefined) baseRecords.set(id, old);
      const text = texts.get(path);
      const kept = text === undefined ? keeps(id) : undefined;
      if (kept !== undefined) {
        bad.push(
          ...kept.map((file) => ({ ...file, commit: theirs, problem: `it is a record that belongs at ${path}` })),
        );
        unlikeIds.push(id);
        continue;
      }
      const editor = editors.get(id);
      const read = text === undefined ? undefined : this.#readRecord(path, text, old, editor);
      if (typeof read === "string") {
        bad.push({ path, commit: theirs, problem: read, text: text ?? "" });
        unlikeIds.push(id);
        continue;
      }
      if (read !== undefined) records.set(id, read);
      if (editor !== undefined && read?.updated_at !== parsed(path, text)?.updated_at) unlikeIds.push(id);
      changed.push(id);
    }
    return {
      changed,
      base: baseRecords,
      theirs: records,
      bad,
      unlikeIds,
      files,
      editors: new Map([...editors].map(([id, { actor }]) => [id, actor])),
    };
  }

  async #changedPaths(base: string | undefined, theirs: string): Promise<readonly string[]> {
    if (base !== undefined) return this.#repository.changedFiles(base, theirs);
    return (await this.#repository.listFiles(theirs, "")).map(({ path }) => path);
  }

  /**
   * Tells of a record whose file was removed whether that deletes it. Undefined: yes. Whoever clears the branch, or puts
   * something else there, deletes no beads, nor does who moves the file: then that file is answered.
   */
  async #keptRecords(change: {
    readonly tree: string;
    readonly baseTree: string | undefined;
    readonly paths: readonly string[];
    readonly texts: ReadonlyMap<string, string>;
  }): Promise<(id: string) => readonly Pick<BadFile, "path" | "text">[] | undefined> {
    const { tree, baseTree, paths, texts } = change;
    if (paths.every((path) => idOfPath(path) === undefined || texts.has(path))) return () => undefined;
    const isCleared = baseTree !== undefined && (await this.#trees.find(tree, versionFile)) === undefined;
    const moved = new Map<string, Pick<BadFile, "path" | "text">>();
    for (const [path, text] of await this.#texts(tree, paths)) {
      const id = path.endsWith(".json") ? /"id":"([^"\\]+)"/.exec(text)?.[1] : undefined;
      if (id !== undefined && recordPath(id) !== path) moved.set(id, { path, text });
    }
    return (id) => {
      const file = moved.get(id);
      return file === undefined ? (isCleared ? [] : undefined) : [file];
    };
  }

  /** The records of some ids at a commit. */
  async recordsAt(commit: string, ids: Iterable<string>): Promise<ReadonlyMap<string, BeadRecord>> {
    const paths = [...ids].map(recordPath);
    const records = new Map<string, BeadRecord>();
    for (const [path, text] of await this.#texts(await this.#treeOf(commit), paths)) {
      const record = parsed(path, text);
      if (record !== undefined) records.set(record.id, record);
    }
    return records;
  }

  /** Events in the log files of a commit that the base does not have. */
  async eventsSince(base: string | undefined, tip: string): Promise<readonly HistoryEntry[]> {
    const all =
      base === undefined
        ? (await this.#repository.listFiles(tip, "log")).map(({ path }) => path)
        : await this.#repository.changedFiles(base, tip);
    const paths = all.filter((path) => path.startsWith("log/"));
    const texts = await this.#texts(await this.#treeOf(tip), paths);
    const old = base === undefined ? new Map<string, string>() : await this.#texts(await this.#treeOf(base), paths);
    const events: HistoryEntry[] = [];
    for (const [path, text] of texts) {
      const before = old.get(path) ?? "";
      for (const line of (text.startsWith(before) ? text.slice(before.length) : text).split("\n")) {
        const event = line === "" ? undefined : parseEventLine(line);
        if (event !== undefined) events.push(event);
      }
    }
    return events;
  }

  #readRecord(
    path: string,
    text: string,
    old: BeadRecord | undefined,
    editor: Editor | undefined,
  ): BeadRecord | string {
    const read = parseRecordFile(path, text);
    if (typeof read === "string" || editor === undefined || sameJson(read, old)) return read;
    // What a person typed is held to the rules of every other write; stores check their own before they commit.
    const problems = recordProblems(read, this.#statuses());
    if (problems.length > 0) return problems.map(({ message }) => message).join("; ");
    const stamped = old !== undefined && read.updated_at === old.updated_at;
    const time = Math.max(editor.timeMs, (timeOf(read.updated_at) ?? 0) + 1);
    return stamped ? { ...read, updated_at: formatStamp({ ms: time, tick: 0 }) } : read;
  }

  async #treeOf(commit: string): Promise<string> {
    return (await this.#repository.objects.readCommit(commit))?.tree ?? this.#repository.objects.emptyTree;
  }

  /** `isNeeded`: what git has lost is no removal. Throws AdapterError `RecordsMissing` then. */
  async #texts(tree: string, paths: readonly string[], { isNeeded = false } = {}): Promise<Map<string, string>> {
    const blobs = new Map<string, string>();
    for (const path of paths) {
      const blob = await this.#trees.find(tree, path);
      if (blob !== undefined) blobs.set(path, blob);
    }
    const texts = new Map<string, string>();
    const read = await this.#repository.objects.readBlobs([...new Set(blobs.values())]);
    for (const [path, blob] of blobs) {
      const text = read.get(blob);
      if (text !== undefined) texts.set(path, text);
      else if (isNeeded) throw recordsMissing(`tree ${tree}`, [{ path, blob }]);
    }
    return texts;
  }

  /** Last author per id among the commits that no store wrote. */
  async #editors(base: string | undefined, theirs: string): Promise<ReadonlyMap<string, Editor>> {
    const editors = new Map<string, Editor>();
    for (const commit of await this.#repository.log(base, theirs, maxCommits)) {
      const [parent] = commit.parents;
      if (logPositions(commit).size > 0 || commit.parents.length > 1) continue;
      const paths =
        parent === undefined
          ? (await this.#repository.listFiles(commit.id, "")).map(({ path }) => path)
          : await this.#repository.changedFiles(parent, commit.id);
      for (const path of paths) {
        const id = idOfPath(path);
        if (id !== undefined) editors.set(id, editorOf(commit));
      }
    }
    return editors;
  }
}

interface Editor {
  readonly actor: string;
  readonly timeMs: number;
}

function editorOf({ author }: CommitInfo): Editor {
  return { actor: author.name === "" ? author.email : author.name, timeMs: author.timeMs ?? 0 };
}

function parsed(path: string, text: string | undefined): BeadRecord | undefined {
  const read = text === undefined ? undefined : parseRecordFile(path, text);
  return typeof read === "string" ? undefined : read;
}

/** Both versions of a log file: the longer where one continues the other, else the lines of both. */
export function mergedLogText(ours: string, theirs: string): string {
  if (ours.startsWith(theirs)) return ours;
  if (theirs.startsWith(ours)) return theirs;
  const lines = new Set([...ours.split("\n"), ...theirs.split("\n")].filter((line) => line !== ""));
  const timed = [...lines].map((line) => ({ line, ms: parseEventLine(line)?.timeMs ?? 0 }));
  return timed
    .sort((a, b) => a.ms - b.ms)
    .map(({ line }) => `${line}\n`)
    .join("");
}
