import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import type { ProcessIdentity } from "../ports/processes.ts";

/** What a run's bead says in its metadata. */
export interface RunFact {
  /** `<namespace>/<name>` of the Plugin. */
  readonly plugin: string;
  /** What it was due for: unique for each run of the plugin about one target. */
  readonly slot: string;
  /** The time it was due at, ms since the epoch. */
  readonly dueMs: number;
  /** Why it runs, as `every 1h` or `pat asked`. */
  readonly why: string;
  /** Resource version of the Event that started it. */
  readonly event?: string;
  /** Counts the runs, since clocks can be set back. */
  readonly number: number;
  /** How often it was begun; a run that ended with its controller is begun again. */
  readonly attempt: number;
  readonly startedMs?: number;
  readonly process?: ProcessIdentity;
  readonly log?: string;
  readonly endedMs?: number;
  readonly result?: RunResult;
  readonly message?: string;
}

export type RunResult = "Succeeded" | "Failed" | "TimedOut" | "Interrupted";

export interface PluginRun {
  readonly id: string;
  readonly fact: RunFact;
  readonly isOpen: boolean;
  /** The agent that has it on its hook. */
  readonly assignee: string | undefined;
}

const RUN = "town.plugin";
/** Who holds the run while the controller carries it out, so that nobody takes it for work. */
export const RUNNER = "loop/plugins";

const HOLDER = "plugin.";

/** Under what the token of a plugin's program is kept: no agent can have this name. */
export function tokenHolder(plugin: string): string {
  return `${HOLDER}${plugin}`;
}

/** Why a token that no plugin's program can use any more is void; undefined: it is none of those. */
export function unusedToken(graph: GraphReader | undefined, holder: string): string | undefined {
  if (!holder.startsWith(HOLDER) || graph === undefined) return undefined;
  const plugin = holder.slice(HOLDER.length);
  const isRunning =
    graph.sketches({ label: runLabel(`/${plugin}`), assignee: RUNNER, excludeStatus: ["closed"] }).length > 0;
  return isRunning ? undefined : `no program of plugin ${plugin} runs`;
}

export function isPluginToken(holder: string): boolean {
  return holder.startsWith(HOLDER);
}

const LABEL = "plugin:";

function runLabel(plugin: string): string {
  return `${LABEL}${plugin.slice(plugin.indexOf("/") + 1)}`;
}

/** Name of the plugin that a bead with these labels is a run of. */
export function pluginOfLabels(labels: readonly string[]): string | undefined {
  return labels.find((label) => label.startsWith(LABEL))?.slice(LABEL.length);
}

/** Runs of a plugin that the graph still has, newest first. */
export function runsOf(graph: GraphReader, plugin: string): readonly PluginRun[] {
  return graph
    .list({ label: runLabel(plugin) })
    .flatMap((record) => {
      const run = runOf(record);
      return run?.fact.plugin === plugin ? [run] : [];
    })
    .toSorted((a, b) => b.fact.number - a.fact.number);
}

export function runOf(record: BeadRecord | undefined): PluginRun | undefined {
  const fact = record?.metadata?.[RUN];
  if (record === undefined || typeof fact !== "object" || fact === null) return undefined;
  const isOpen = record.status !== "closed";
  return {
    id: record.id,
    fact: isOpen ? (fact as RunFact) : { ...endOf(record), ...(fact as RunFact) },
    isOpen,
    assignee: record.assignee === RUNNER ? undefined : record.assignee,
  };
}

/** An agent that closes its run says with that how it ended. */
function endOf(record: BeadRecord): Pick<RunFact, "endedMs" | "result" | "message"> {
  return {
    endedMs: Date.parse(record.closed_at ?? record.updated_at),
    result: "Succeeded",
    message: record.close_reason ?? "closed",
  };
}

/** What these need of a Plugin. */
export interface DeclaredPlugin {
  readonly metadata: { readonly namespace?: string; readonly name: string };
  readonly spec: {
    readonly scope?: "Town" | "Rig" | undefined;
    readonly run: { readonly prompt?: string | undefined; readonly exec?: readonly string[] | undefined };
  };
}

/** `<namespace>/<name>` */
export function pluginName({ metadata }: DeclaredPlugin): string {
  return `${metadata.namespace ?? "hq"}/${metadata.name}`;
}

/** The bead of a run, a wisp; the one that is there already for the same slot and attempt. */
export function requestRun(
  tx: GraphTransaction,
  object: DeclaredPlugin,
  due: Pick<RunFact, "slot" | "dueMs" | "why" | "event"> & { readonly attempt?: number },
): BeadRecord {
  const plugin = pluginName(object);
  const number = (runsOf(tx, plugin)[0]?.fact.number ?? 0) + 1;
  const fact: RunFact = { plugin, attempt: 1, number, ...due };
  const key = `plugin/${fact.plugin}/${fact.slot}/${fact.attempt}`;
  const former = tx.byKey(key);
  if (former !== undefined) return former;
  const { prompt, exec } = object.spec.run;
  const made = tx.create({
    title: `Plugin ${object.metadata.name}`,
    ...(prompt === undefined ? {} : { description: prompt }),
    issue_type: "task",
    ephemeral: true,
    labels: [runLabel(fact.plugin)],
    metadata: { [META.key]: key, [RUN]: fact },
  });
  return exec === undefined ? made : tx.claim(made.id, RUNNER);
}

/** Adds to what is known of a run. */
export function noteRun(tx: GraphTransaction, id: string, more: Partial<RunFact>): void {
  const run = runOf(tx.get(id));
  if (run !== undefined) tx.setMetadata(id, { [RUN]: { ...run.fact, ...more } });
}

/** Closes a run with how it ended; one that is closed stays as it is. */
export function endRun(
  tx: GraphTransaction,
  id: string,
  end: { readonly result: RunResult; readonly message: string },
): void {
  const run = runOf(tx.get(id));
  if (run === undefined || !run.isOpen) return;
  noteRun(tx, id, { ...end, endedMs: tx.now });
  tx.close(id, { reason: `${end.result}: ${end.message}`, force: true });
}
