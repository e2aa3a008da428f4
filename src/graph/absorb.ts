import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { mintId } from "../domain/work-graph/ids/mint-id.ts";
import { idOfPath } from "../domain/work-graph/ids/record-path.ts";
import type { GraphMerge, GraphMergeResult, LostClaim } from "../domain/work-graph/merge/merge-graphs.ts";
import { idsBornTwice, mergeGraphs } from "../domain/work-graph/merge/merge-graphs.ts";
import { sameJson } from "../domain/work-graph/record/canonical.ts";
import type { Repository } from "../ports/git.ts";
import type { Random } from "../ports/random.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import type { ForeignChange, ForeignReader } from "./foreign-change.ts";

/** What was taken in from a commit of somebody else. */
export interface AbsorbReport {
  readonly commit: string;
  /** Ids of ours that changed. */
  readonly changed: readonly string[];
  readonly lostClaims: readonly LostClaim[];
  readonly rekeyed: ReadonlyMap<string, string>;
  /** Files that were set aside, `path@commit`. */
  readonly refused: readonly string[];
}

/** Merges that are ready to be run: one per author, since every change keeps who made it. */
export interface PreparedMerge {
  readonly actor: string;
  /** The events are in a log of the other side. */
  readonly quiet: boolean;
  /** Run against the records as they are at that moment. */
  readonly run: (stamp: string) => GraphMergeResult;
}

export interface MergeContext {
  readonly repository: Repository;
  readonly reader: ForeignReader;
  readonly index: GraphIndex;
  readonly prefix: string;
  readonly random: Random;
  readonly base: string | undefined;
  readonly ourTip: string | undefined;
  readonly theirTip: string;
  readonly dirty: ReadonlySet<string>;
  readonly pendingEvents: readonly HistoryEntry[];
}

/** Actor of changes that another clone made and logged. */
const mergeActor = "loop/merge";

/** Reads everything that merging a foreign change needs; nothing is changed. */
export async function prepareMerge(change: ForeignChange, context: MergeContext): Promise<readonly PreparedMerge[]> {
  const { index } = context;
  const base = new Map(change.base);
  const shared = {
    base: (id: string): BeadRecord | undefined => base.get(id),
    ours: (id: string): BeadRecord | undefined => index.stored(id),
    theirs: (id: string): BeadRecord | undefined => change.theirs.get(id),
  };
  const contested = change.changed.filter((id) => {
    const ours = index.stored(id);
    return ours !== undefined && !sameJson(ours, base.get(id)) && !sameJson(ours, change.theirs.get(id));
  });
  const times = contested.length === 0 ? undefined : await changeTimes(context);
  let ourIds: readonly string[] = [];
  if (idsBornTwice({ ...shared, changed: change.changed }).length > 0) {
    ourIds = await idsWeChanged(context);
    const further =
      context.base === undefined
        ? new Map<string, BeadRecord>()
        : await context.reader.recordsAt(
            context.base,
            ourIds.filter((id) => !base.has(id)),
          );
    for (const [id, record] of further) base.set(id, record);
  }
  const merge = (ids: readonly string[], stamp: string): GraphMerge => ({
    ...shared,
    changed: ids,
    // Also what was changed here after these ids were read.
    oursChanged: () =>
      new Set([...ourIds, ...context.dirty].map((id) => index.stored(id)).filter((record) => record !== undefined)),
    ...(times === undefined ? {} : { oursChangedMs: times.ours, theirsChangedMs: times.theirs }),
    newId: () =>
      mintId({
        prefix: context.prefix,
        records: index.topLevelCount,
        taken: (id) => index.stored(id) !== undefined,
        base36: (length) => context.random.base36(length),
      }),
    stamp,
  });
  return groupsOf(change).map(({ actor, ids }) => ({
    actor: actor ?? mergeActor,
    quiet: actor === undefined,
    run: (stamp) => mergeGraphs(merge(ids, stamp)),
  }));
}

function groupsOf(
  change: ForeignChange,
): readonly { readonly actor: string | undefined; readonly ids: readonly string[] }[] {
  const groups = new Map<string | undefined, string[]>();
  for (const id of change.changed) {
    const actor = change.editors.get(id);
    const ids = groups.get(actor);
    if (ids === undefined) groups.set(actor, [id]);
    else ids.push(id);
  }
  return [...groups].map(([actor, ids]) => ({ actor, ids }));
}

async function idsWeChanged({ repository, base, ourTip, dirty }: MergeContext): Promise<readonly string[]> {
  const paths =
    ourTip === undefined
      ? []
      : base === undefined
        ? (await repository.listFiles(ourTip, "")).map(({ path }) => path)
        : await repository.changedFiles(base, ourTip);
  return [...new Set([...paths.map(idOfPath).filter((id) => id !== undefined), ...dirty])];
}

type ChangeTimes = (id: string, field: string) => number | undefined;

/** When each side last changed a field since the base, as its log tells. */
async function changeTimes({
  reader,
  base,
  ourTip,
  theirTip,
  pendingEvents,
}: MergeContext): Promise<{ readonly ours: ChangeTimes; readonly theirs: ChangeTimes }> {
  const ours = ourTip === undefined ? [] : await reader.eventsSince(base, ourTip);
  const theirs = await reader.eventsSince(base, theirTip);
  return { ours: timesOf([...ours, ...pendingEvents]), theirs: timesOf(theirs) };
}

function timesOf(events: readonly HistoryEntry[]): ChangeTimes {
  const times = new Map<string, number>();
  for (const { id, timeMs, changes } of events) {
    for (const { field } of changes) {
      const key = `${id}\n${field}`;
      times.set(key, Math.max(timeMs, times.get(key) ?? 0));
    }
  }
  return (id, field) => times.get(`${id}\n${field}`);
}
