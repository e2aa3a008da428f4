import type { StoreTools, SyncSummary } from "../bd/context.ts";
import { TownError } from "../errors/town-error.ts";
import { exportJsonl, importDoltBackup, importJsonl } from "../graph/exchange.ts";
import type { GitGraph } from "../graph/git-graph.ts";
import { graphAsOf, graphDiff } from "../graph/past.ts";
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
  /** The stores were opened with the statuses of their settings. */
  readonly knowsCustomStatuses: boolean;
  /** Whether the store may be pushed; undefined: it may. */
  readonly mayPush?: (graph: WorkGraph) => boolean;
}

/** What bd's commands need of a store beside its records. */
export function bdTools(parts: BdToolParts): Omit<StoreTools, "init"> {
  const { storeOf, files } = parts;
  let changing: Promise<unknown> = Promise.resolve();
  const directoryOf = (graph: WorkGraph): string => storeOf(graph).repository.commonDirectory;
  return {
    knowsCustomStatuses: parts.knowsCustomStatuses,
    place: async (graph) => {
      const store = storeOf(graph);
      const commit = store.tip;
      return {
        directory: store.repository.commonDirectory,
        branch: store.branch.replace(/^refs\/heads\//, ""),
        ...(commit === undefined ? {} : { commit }),
        setAside: await setAsideLines(files, storePaths(directoryOf(graph)).setAside),
      };
    },
    settings: (graph) => readBdSettings(files, directoryOf(graph)),
    changeSettings: (graph, change) => {
      // One change after the other: each starts from what the former left.
      const next = changing.catch(() => undefined).then(() => changeBdSettings(files, directoryOf(graph), change));
      changing = next;
      return next;
    },
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
    pack: (graph) => storeOf(graph).repository.objects.packOwn({ minimum: 2 }),
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

const settingsFormat = 1;

/** bd's settings of the store in a repository; none when there is no file. Throws TownError `SettingsUnreadable`. */
export async function readBdSettings(files: Files, commonDirectory: string): Promise<Readonly<Record<string, string>>> {
  const path = settingsPath(commonDirectory);
  const text = await files.readText(path);
  if (text === undefined) return {};
  const unreadable = (why: string): TownError =>
    new TownError("SettingsUnreadable", `cannot read the settings ${path}: ${why}`, {
      hint: "correct the file, or remove it to have the defaults",
    });
  let value: { readonly format?: unknown; readonly settings?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    throw unreadable("it is no JSON");
  }
  if (typeof value.format !== "number" || value.format > settingsFormat)
    throw unreadable("a later version of town wrote it");
  const entries = Object.entries((value.settings ?? {}) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

async function changeBdSettings(
  files: Files,
  commonDirectory: string,
  change: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const next = { ...(await readBdSettings(files, commonDirectory)), ...change };
  const settings = Object.fromEntries(
    Object.entries(next)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const path = settingsPath(commonDirectory);
  await files.makeDirectory(path.slice(0, path.lastIndexOf("/")), { mode: 0o700 });
  await files.writeAtomic(path, `${JSON.stringify({ format: settingsFormat, settings }, undefined, 2)}\n`);
}

function settingsPath(commonDirectory: string): string {
  return `${storePaths(commonDirectory).root}/bd.json`;
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
