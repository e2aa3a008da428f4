import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { compareVersions } from "../domain/work-graph/record/stamp.ts";
import type { Repository } from "../ports/git.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import { eventLine, parseEventLine } from "./event-log.ts";
import { mergedLogText } from "./foreign-change.ts";
import { versionFile } from "./git-records.ts";
import type { Damage } from "./sound-commit.ts";
import type { TreeWriter } from "./tree-writer.ts";

export interface Beyond {
  /** Records that are not as the commit has them. */
  readonly ids: ReadonlySet<string>;
  /** What else the next commit must bring back: path to blob. */
  readonly files: ReadonlyMap<string, string>;
  /** Events that the commit does not have, oldest first. */
  readonly events: readonly HistoryEntry[];
}

interface BeyondInput {
  readonly repository: Repository;
  readonly trees: TreeWriter;
  readonly index: GraphIndex;
  /** Tree of the commit that had to be gone back to. */
  readonly baseTree: string | undefined;
  /** Logs that this store writes or wrote. */
  readonly logs: readonly string[];
  readonly damage: Pick<Damage, "records" | "remains">;
  /** Those that the logs on disk tell. */
  readonly events: readonly HistoryEntry[];
}

/**
 * Puts into memory what is known beyond a commit that had to be gone back to: of each record the latest version counts, so
 * that nothing is lost; one that was removed without a trace meanwhile may come back.
 */
export async function putBeyond(input: BeyondInput): Promise<Beyond> {
  const { index, damage, events } = input;
  const ids = new Set<string>();
  for (const record of damage.records) {
    const here = index.stored(record.id);
    if (here !== undefined && compareVersions(record, here) <= 0) continue;
    index.put(record.id, record);
    ids.add(record.id);
  }
  const files = new Map<string, string>();
  const told = new Map<string, HistoryEntry>();
  for (const survey of damage.remains)
    for (const [path, blob] of survey.files) await carry(input, { path, blob, files, told });
  const all = [...told.values(), ...events.filter((entry) => !told.has(eventLine(entry)))];
  return { ids, files, events: all.sort((a, b) => a.timeMs - b.timeMs) };
}

interface Carried {
  readonly path: string;
  readonly blob: string;
  readonly files: Map<string, string>;
  /** By their lines. */
  readonly told: Map<string, HistoryEntry>;
}

/** Takes along a file of a lost commit: events of our own logs are told again, other files come as they are. */
async function carry(
  { repository: { objects }, trees, baseTree, logs }: BeyondInput,
  { path, blob, files, told }: Carried,
): Promise<void> {
  const known = baseTree === undefined ? undefined : await trees.find(baseTree, path);
  const text = path === versionFile || known === blob ? undefined : await objects.readBlob(blob);
  if (text === undefined) return;
  const former = known === undefined ? "" : ((await objects.readBlob(known)) ?? "");
  const isLog = path.startsWith("log/");
  if (!isLog || !logs.some((id) => path.includes(`/${id}`))) {
    files.set(path, await objects.writeBlob(isLog ? mergedLogText(former, text) : text));
    return;
  }
  const written = new Set(former.split("\n"));
  for (const line of text.split("\n")) {
    const entry = line === "" || written.has(line) ? undefined : parseEventLine(line);
    if (entry !== undefined) told.set(eventLine(entry), entry);
  }
}
