import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import { compareVersions } from "../domain/work-graph/record/stamp.ts";
import type { Repository } from "../ports/git.ts";
import { ForeignReader } from "./foreign-change.ts";
import type { GitGraph } from "./git-graph.ts";
import { logPositions } from "./git-records.ts";
import { isLoss } from "./survey.ts";
import { TreeWriter } from "./tree-writer.ts";

/** A commit of a store that no ref leads to, with what is later there. */
export interface LeftBehind {
  readonly commit: string;
  readonly timeMs: number;
  /** Ids of beads that are older here, or not there at all. */
  readonly later: readonly string[];
}

/** So many of the latest are compared with what is here. */
const looked = 20;

/**
 * Commits that stores wrote into the repository and that no ref leads to any more (a branch that was reset by hand, say), where
 * they hold beads that are later than those here. Reads all commits of the repository.
 */
export async function leftBehind(graph: GitGraph): Promise<readonly LeftBehind[]> {
  const { repository, tip } = graph;
  if (tip === undefined) return [];
  const found: LeftBehind[] = [];
  for (const { id, timeMs } of (await lostTips(repository, tip)).slice(0, looked)) {
    const later = await laterAt(graph, tip, id);
    if (later.length > 0) found.push({ commit: id, timeMs, later });
  }
  return found;
}

interface Written {
  readonly id: string;
  readonly timeMs: number;
}

/** The last commits of what is not reachable, the latest first. */
async function lostTips(repository: Repository, tip: string): Promise<readonly Written[]> {
  const { objects } = repository;
  const parents = new Map<string, readonly string[]>();
  const written: Written[] = [];
  const ids = await objects.allCommits();
  for (let at = 0; at < ids.length; at += 1_000) {
    for (const info of await Promise.all(ids.slice(at, at + 1_000).map((id) => objects.readCommit(id)))) {
      if (info === undefined) continue;
      parents.set(info.id, info.parents);
      if (logPositions(info).size > 0) written.push({ id: info.id, timeMs: info.committer.timeMs ?? 0 });
    }
  }
  const reached = new Set<string>();
  const open = [tip, ...(await repository.listRefs("refs/")).values()];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    open.push(...(parents.get(next) ?? []));
  }
  const lost = written.filter(({ id }) => !reached.has(id));
  const followed = new Set(lost.flatMap(({ id }) => parents.get(id) ?? []));
  return lost.filter(({ id }) => !followed.has(id)).sort((a, b) => b.timeMs - a.timeMs);
}

async function laterAt(graph: GitGraph, tip: string, commit: string): Promise<readonly string[]> {
  const { repository, statuses } = graph;
  try {
    const paths = await repository.changedFiles(tip, commit);
    const ids = paths.map(idOfPath).filter((id) => id !== undefined);
    const reader = new ForeignReader(repository, new TreeWriter(repository.objects), () => statuses);
    const later: string[] = [];
    for (const [id, record] of await reader.recordsAt(commit, ids)) {
      const here = graph.stored(id);
      if (here === undefined || compareVersions(record, here) > 0) later.push(id);
    }
    return later.sort();
  } catch (error) {
    // What is not whole any more cannot be taken in either.
    if (isLoss(error)) return [];
    throw error;
  }
}
