import type { StoreTools, SyncSummary } from "../bd/context.ts";
import { checkObjects } from "../graph/check-objects.ts";
import { exportJsonl, importDoltBackup, importJsonl } from "../graph/exchange.ts";
import type { GitGraph } from "../graph/git-graph.ts";
import { graphAsOf, graphDiff, withFullTexts } from "../graph/past.ts";
import type { StorePaths } from "../graph/paths.ts";
import { storePaths } from "../graph/paths.ts";
import type { SyncReport } from "../graph/sync.ts";
import { syncGraph } from "../graph/sync.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Random } from "../ports/random.ts";
import type { WorkGraph } from "../ports/work-graph.ts";

export interface BdToolParts {
  /** The store behind a graph. */
  readonly storeOf: (graph: WorkGraph) => GitGraph;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the store may be pushed; undefined: it may. */
  readonly mayPush?: (graph: WorkGraph) => boolean;
}

/** What bd's commands need of a store beside its records. */
export function bdTools(parts: BdToolParts): Omit<StoreTools, "init"> {
  const { storeOf, files } = parts;
  const pathsOf = (graph: WorkGraph): StorePaths => storePaths(storeOf(graph).repository.commonDirectory);
  return {
    place: async (graph) => {
      const store = storeOf(graph);
      const commit = store.tip;
      return {
        directory: store.repository.commonDirectory,
        branch: store.branch.replace(/^refs\/heads\//, ""),
        ...(commit === undefined ? {} : { commit }),
        setAside: await setAsideLines(files, pathsOf(graph).setAside),
      };
    },
    objects: (graph) =>
      checkObjects(storeOf(graph), () => files.writeAtomic(pathsOf(graph).suspicion, "found by doctor\n")),
    settings: async (graph) => storeOf(graph).settings,
    changeSettings: (graph, change) => storeOf(graph).changeSettings(change),
    hasRemote: async (graph, remote) => (await storeOf(graph).repository.config(`remote.${remote}.url`)) !== undefined,
    sync: async (graph, { remote, push, signal }) => {
      const report = await syncGraph(storeOf(graph), {
        remote,
        push: push && (parts.mayPush?.(graph) ?? true),
        clock: parts.clock,
        random: parts.random,
        ...(signal === undefined ? {} : { signal }),
      });
      return summaryOf(report);
    },
    asOf: (graph, revision) => graphAsOf(storeOf(graph), revision),
    fullTexts: (graph, records) => withFullTexts(storeOf(graph), records),
    diff: (graph, from, to) => graphDiff(storeOf(graph), from, to),
    importFrom: (graph, what, options) =>
      "text" in what
        ? importJsonl(storeOf(graph), what.text, options)
        : importDoltBackup(storeOf(graph), what.backup, options),
    records: (graph) => storeOf(graph).storedRecords(),
    exportTo: async (graph, path, options) => {
      const { written, dropped } = await exportJsonl(storeOf(graph), files, path, options);
      return { written, dropped: dropped.length };
    },
    installMergeDriver: async (graph) => {
      const { repository } = storeOf(graph);
      await repository.setConfig("merge.beads.name", "beads, by record and field");
      await repository.setConfig("merge.beads.driver", "town bd merge-driver %O %A %B");
      return "*.jsonl merge=beads";
    },
    collectWisps: (graph, { dryRun }) =>
      dryRun ? Promise.resolve(storeOf(graph).wisps.outlived().length) : storeOf(graph).wisps.collect(),
    pack: (graph) => {
      const { repository, tip } = storeOf(graph);
      return repository.objects.packOwn({ minimum: 2, tip });
    },
  };
}

function summaryOf({ commit, pushed, taken, lostClaims }: SyncReport): SyncSummary {
  return {
    commit,
    pushed,
    changed: [...new Set(taken.flatMap(({ changed }) => changed))].sort(),
    lostClaims: lostClaims.map(({ id, assignee, winner }) => ({
      id,
      assignee,
      ...(winner === undefined ? {} : { winner }),
    })),
    rekeyed: taken.flatMap(({ rekeyed }) => [...rekeyed].map(([from, to]) => ({ from, to }))),
    refused: taken.flatMap(({ refused }) => refused),
  };
}

/** `place: problem` of everything that could not be read and was kept for a person. */
async function setAsideLines(files: Files, directory: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const name of await files.list(directory)) {
    for (const line of ((await files.readText(`${directory}/${name}`)) ?? "").split("\n")) {
      if (line === "") continue;
      try {
        const { place, problem } = JSON.parse(line) as { readonly place: string; readonly problem: string };
        lines.push(`${place}: ${problem}`);
      } catch {
        lines.push(`${directory}/${name}: a line is no JSON`);
      }
    }
  }
  return lines;
}
