import { changeEvents } from "../domain/work-graph/history/change-events.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { GitObjects, Repository } from "../ports/git.ts";
import type { Author, HistoryEntry } from "../ports/work-graph.ts";
import type { RecordChange } from "./transaction.ts";
import type { TreeWriter } from "./tree-writer.ts";

/** A segment is continued under a new number beyond this many characters, so that no commit rewrites a large file. */
const segmentLength = 64_000;

/** Events of the changes of one transaction. `seq` is that of the first change. */
export function entriesOf(changes: readonly RecordChange[], author: Author, timeMs: number): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  for (const { id, before, after, note } of changes) {
    for (const { event, changes: fields } of changeEvents(before, after)) {
      const noted = note === undefined || event === "updated" ? fields : [...fields, { field: "reason", to: note }];
      entries.push({ timeMs, ...author, id, event, changes: noted });
    }
  }
  return entries;
}

export function eventLine(entry: HistoryEntry): string {
  return JSON.stringify({
    t: entry.timeMs,
    a: entry.actor,
    n: entry.session,
    i: entry.id,
    e: entry.event,
    c: entry.changes,
  });
}

export function parseEventLine(line: string): HistoryEntry | undefined {
  try {
    const { t, a, n, i, e, c } = JSON.parse(line) as {
      t: number;
      a: string;
      n?: string;
      i: string;
      e: string;
      c?: HistoryEntry["changes"];
    };
    if (typeof t !== "number" || typeof i !== "string" || typeof e !== "string") return undefined;
    return {
      timeMs: t,
      actor: String(a),
      ...(n === undefined ? {} : { session: n }),
      id: i,
      event: e,
      changes: c ?? [],
    };
  } catch {
    return undefined;
  }
}

/** Events of one bead that are in the logs of a commit, in no order. Throws AdapterError `RecordsMissing`. */
export async function readHistory(
  repository: Repository,
  commit: string,
  id: string,
): Promise<readonly HistoryEntry[]> {
  return (await readLogs(repository, commit)).flatMap((text) => eventsIn(text, id));
}

/** Texts of the logs of a commit. Throws AdapterError `RecordsMissing`. */
export async function readLogs(repository: Repository, commit: string): Promise<readonly string[]> {
  const files = await repository.listFiles(commit, "log");
  const texts = await repository.objects.readBlobs(files.map((file) => file.id));
  const lost = files.find((file) => !texts.has(file.id));
  if (lost !== undefined) throw logMissing(commit, lost);
  return files.map((file) => texts.get(file.id) ?? "");
}

/** Events of one bead in a text of lines; lines of other beads are not read. */
export function eventsIn(text: string, id: string): readonly HistoryEntry[] {
  const entries: HistoryEntry[] = [];
  const needle = JSON.stringify(id);
  for (let at = text.indexOf(needle); at >= 0; ) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const entry = parseEventLine(text.slice(text.lastIndexOf("\n", at) + 1, end));
    if (entry?.id === id) entries.push(entry);
    at = text.indexOf(needle, end);
  }
  return entries;
}

function logMissing(commit: string, { path, id }: { readonly path: string; readonly id: string }): AdapterError {
  return new AdapterError(
    "RecordsMissing",
    `Cannot read the history in commit ${commit}: blob ${id} (${path}) is not in the repository.`,
    { hint: "Run `town bd doctor`: it says what is missing and what can be made again." },
  );
}

/** Where a log was last continued, so that its last segment need not be looked for among hundreds. */
export interface LogPlace {
  day: string;
  number: number;
}

/** Files to write so that `lines` are in the log of `logId` on the day of `timeMs`, given the tree of the parent commit. */
export async function appendToLog(
  objects: GitObjects,
  trees: TreeWriter,
  tree: string,
  log: { readonly id: string; readonly timeMs: number; readonly lines: readonly string[]; readonly place: LogPlace },
): Promise<readonly (readonly [string, string])[]> {
  const day = new Date(log.timeMs).toISOString().slice(0, 10);
  const path = (number: number): string => `log/${day}/${log.id}${number === 1 ? "" : `-${number}`}.jsonl`;
  let number = log.place.day === day ? log.place.number : 1;
  while ((await trees.find(tree, path(number + 1))) !== undefined) number++;
  const blob = await trees.find(tree, path(number));
  let text = blob === undefined ? "" : ((await objects.readBlob(blob)) ?? "");
  const written: (readonly [string, string])[] = [];
  const finish = async (): Promise<void> => {
    written.push([path(number), await objects.writeBlob(text)]);
  };
  for (const line of log.lines) {
    if (text.length > segmentLength) {
      await finish();
      number++;
      text = "";
    }
    text += `${line}\n`;
  }
  await finish();
  log.place.day = day;
  log.place.number = number;
  return written;
}
