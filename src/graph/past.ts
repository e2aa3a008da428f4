import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { fullTextCommit, isDigest, withFullText } from "../domain/work-graph/compaction/digest.ts";
import type { ChangeEvent } from "../domain/work-graph/history/change-events.ts";
import { changeEvents } from "../domain/work-graph/history/change-events.ts";
import { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import { deepFreeze } from "../domain/work-graph/record/canonical.ts";
import { timeOf } from "../domain/work-graph/record/stamp.ts";
import { TownError } from "../errors/town-error.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import { ForeignReader } from "./foreign-change.ts";
import type { GitGraph } from "./git-graph.ts";
import { readCommitRecords } from "./git-records.ts";
import { IndexReader } from "./index-reader.ts";
import { TreeWriter } from "./tree-writer.ts";

/** The graph as a commit holds it, for reading. */
export interface PastGraph {
  readonly commit: string;
  readonly timeMs: number;
  readonly reader: GraphReader;
}

/**
 * The graph as of a revision: a commit, a ref, `<revision>~3`, or a time (RFC 3339 or `yyyy-mm-dd`), which means the last
 * commit of the branch at that time. Undefined when there is none. Readiness is that of the commit's time.
 */
export async function graphAsOf(graph: GitGraph, revision: string): Promise<PastGraph | undefined> {
  const commit = await commitOf(graph, revision);
  if (commit === undefined) return undefined;
  const info = await graph.repository.objects.readCommit(commit);
  const timeMs = info?.committer.timeMs ?? 0;
  const { records } = await readCommitRecords(graph.repository, commit);
  const index = new GraphIndex({ statuses: graph.statuses });
  index.load(records);
  return { commit, timeMs, reader: new IndexReader(index, () => timeMs) };
}

/** Commit id that a revision or a time means. */
export async function commitOf(graph: GitGraph, revision: string): Promise<string | undefined> {
  const time = timeText(revision);
  if (time !== undefined) return lastCommitAt(graph, time);
  return (await graph.repository.resolve(`${revision}^{commit}`)) ?? undefined;
}

/**
 * Digests among the records with the texts they stand for, read from the commits that hold them. `missing`: ids whose commit
 * is not in this repository, so they stay digests.
 */
export async function withFullTexts(
  graph: GitGraph,
  records: readonly BeadRecord[],
): Promise<{ readonly records: readonly BeadRecord[]; readonly missing: readonly string[] }> {
  const wanted = new Map<string, string[]>();
  for (const record of records) {
    const commit = fullTextCommit(record);
    if (commit === undefined) continue;
    const ids = wanted.get(commit);
    if (ids === undefined) wanted.set(commit, [record.id]);
    else ids.push(record.id);
  }
  const originals = new Map<string, BeadRecord>();
  for (const [commit, ids] of wanted)
    for (const [id, record] of await originalsAt(graph, commit, ids)) originals.set(id, record);
  const missing: string[] = [];
  const full = records.map((record) => {
    const original = originals.get(record.id);
    if (original !== undefined) return deepFreeze(withFullText(record, original));
    if (isDigest(record)) missing.push(record.id);
    return record;
  });
  return { records: full, missing };
}

async function originalsAt(
  graph: GitGraph,
  commit: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, BeadRecord>> {
  // Other tools write there what they like.
  const found = /^[0-9a-f]{7,64}$/.test(commit) ? await graph.repository.resolve(`${commit}^{commit}`) : undefined;
  return found === undefined ? new Map() : readerOf(graph).recordsAt(found, ids);
}

function readerOf(graph: GitGraph): ForeignReader {
  return new ForeignReader(graph.repository, new TreeWriter(graph.repository.objects), () => graph.statuses);
}

function timeText(text: string): number | undefined {
  return timeOf(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T23:59:59.999Z` : text);
}

async function lastCommitAt(graph: GitGraph, timeMs: number): Promise<string | undefined> {
  let commit = graph.tip;
  while (commit !== undefined) {
    const info = await graph.repository.objects.readCommit(commit);
    if (info === undefined || (info.committer.timeMs ?? 0) <= timeMs) return info === undefined ? undefined : commit;
    commit = info.parents[0];
  }
  return undefined;
}

export interface RecordDifference {
  readonly id: string;
  readonly before: BeadRecord | undefined;
  readonly after: BeadRecord | undefined;
  readonly events: readonly ChangeEvent[];
}

/** What changed between two revisions, in id order. Throws TownError `RevisionUnknown`. */
export async function graphDiff(graph: GitGraph, from: string, to: string): Promise<readonly RecordDifference[]> {
  const [old, fresh] = [await requireCommit(graph, from), await requireCommit(graph, to)];
  const ids: string[] = [];
  for (const path of await graph.repository.changedFiles(old, fresh)) {
    const id = idOfPath(path);
    if (id !== undefined) ids.push(id);
  }
  const reader = readerOf(graph);
  const before = await reader.recordsAt(old, ids);
  const after = await reader.recordsAt(fresh, ids);
  return ids.sort().map((id) => ({
    id,
    before: before.get(id),
    after: after.get(id),
    events: changeEvents(before.get(id), after.get(id)),
  }));
}

async function requireCommit(graph: GitGraph, revision: string): Promise<string> {
  const commit = await commitOf(graph, revision);
  if (commit !== undefined) return commit;
  throw new TownError(
    "RevisionUnknown",
    `Cannot read the work graph of ${graph.namespace} as of '${revision}': there is no such commit or time.`,
    {
      hint: `Name a commit of ${graph.branch}, or a time such as 2026-11-05T10:00:00Z.`,
    },
  );
}
