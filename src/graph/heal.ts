import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { loggedRecords } from "./logged-records.ts";
import { flushedRef } from "./paths.ts";
import type { Beyond } from "./put-beyond.ts";
import { putBeyond } from "./put-beyond.ts";
import { replay } from "./replay.ts";
import type { Salvage } from "./salvage.ts";
import { refValue, salvage } from "./salvage.ts";
import { Wal } from "./wal.ts";
import { WispHistory } from "./wisp-history.ts";

export interface HealInput {
  readonly repository: Repository;
  readonly branch: string;
  readonly writer: BranchWriter;
  readonly files: Files;
  /** Directory of the logs. */
  readonly wal: string;
  /** Logs of this store, oldest first; the last one is written. */
  readonly logs: readonly string[];
  /** What memory holds, tombstones included, wisps not. */
  readonly records: readonly BeadRecord[];
  /** Ids of records that memory cannot read. */
  readonly unreadable: ReadonlySet<string>;
  /** Seq of the last change in `records`. */
  readonly seq: number;
}

/** What a store does about the loss of objects that its branch needs. */
export interface Healing {
  readonly salvaged: Salvage;
  /** What must be written on the commit that the branch writer went back to; undefined when all could be made again. */
  readonly beyond: Beyond | undefined;
  /** Versions of records in what is left of commits that others put on the branch, where memory may not have them. */
  readonly foreign: readonly BeadRecord[];
  /** What is left of those that memory cannot read. */
  readonly left: readonly BeadRecord[];
}

/**
 * Makes good what git has lost of the branch of an open store, from memory. Where that is not enough, the branch writer goes
 * back to the latest commit that is whole; everything beyond has to be written again. Undefined: nothing is missing.
 */
export async function heal(input: HealInput): Promise<Healing | undefined> {
  const { repository, branch, writer, records } = input;
  const own = writer.tip;
  const refs = await Promise.all([branch, flushedRef].map((ref) => refValue(repository, ref)));
  const suspects = [own, ...refs].filter((commit) => commit !== undefined);
  const logId = input.logs.at(-1) ?? "";
  const logged = await loggedRecords(input.files, input.wal, input.logs);
  const salvaged = await salvage({ repository, logId, suspects, known: [...logged, ...records], writes: true });
  if (salvaged === undefined) return undefined;
  if (salvaged.broken.size === 0 && suspects.length > 0) return { salvaged, beyond: undefined, foreign: [], left: [] };
  const { base, remains } = salvaged;
  await writer.startAnew(base?.head);
  const index = new GraphIndex();
  index.load(base?.records ?? []);
  const replayed = await sinceThen(input, index, base?.head?.positions ?? {});
  const baseTree = base?.head?.tree;
  const damage = { records, remains };
  const beyond = await putBeyond({
    repository,
    trees: writer.trees,
    index,
    logs: input.logs,
    baseTree,
    damage,
    events: replayed.events,
  });
  const left = [...input.unreadable].map((id) => index.stored(id)).filter((record) => record !== undefined);
  const known = new Set([...records.map(({ id }) => id), ...input.unreadable]);
  const gone = (base?.records ?? []).filter(({ id }) => !known.has(id)).map(({ id }) => id);
  const foreign = remains.filter(({ commit }) => commit !== own).flatMap((survey) => survey.records);
  return { salvaged, beyond: { ...beyond, ids: new Set([...replayed.dirty, ...beyond.ids, ...gone]) }, foreign, left };
}

/** What the logs tell of the time after a commit. */
async function sinceThen(
  { files, wal, logs, seq }: HealInput,
  index: GraphIndex,
  positions: Readonly<Record<string, number>>,
): Promise<{ readonly dirty: ReadonlySet<string>; readonly events: Beyond["events"] }> {
  const dirty = new Set<string>();
  const events: Beyond["events"][number][] = [];
  // Of wisps and leases memory knows.
  const beside = { wispHistory: new WispHistory(), leaseWritten: new Map<string, BeadRecord>() };
  for (const id of logs) {
    const { entries } = await Wal.open(files, wal, id);
    const before = id === logs.at(-1) ? entries.filter(({ record }) => record.s <= seq) : entries;
    const contained = { branch: positions[id] ?? 0, local: Number.MAX_SAFE_INTEGER };
    const replayed = replay(index, before, contained, beside, { lenient: true });
    for (const bead of replayed.dirty) dirty.add(bead);
    events.push(...replayed.events);
  }
  return { dirty, events };
}

/** Says what was lost and what became of it. */
export function reportLoss(
  log: Log,
  { lost, base, broken }: Salvage,
  place: { readonly namespace: string; readonly branch: string },
): void {
  const named = lost
    .slice(0, 10)
    .map(({ kind, id, path }) => (path === "" ? `${kind} ${id}` : `${kind} ${id} (${path})`));
  const facts = { ...place, lost: lost.length, objects: named };
  if (broken.size === 0 && base === undefined)
    log.error(facts, "objects of the work branch were lost and are made again");
  else
    log.error(
      { ...facts, broken: [...broken], base: base?.commit ?? null },
      "commits of the work branch were lost, what is known is written again",
    );
}
