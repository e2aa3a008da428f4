import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import type { GraphMergeResult } from "../domain/work-graph/merge/merge-graphs.ts";
import type { SharedSettings } from "../domain/work-graph/merge/merge-settings.ts";
import type { Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import type { AbsorbReport } from "./absorb.ts";
import { prepareMerge } from "./absorb.ts";
import type { BranchWriter } from "./branch-writer.ts";
import { ForeignReader, mergedLogText } from "./foreign-change.ts";
import type { BadFile } from "./git-records.ts";
import { positionsAt, requireKnownFormat, versionFile } from "./git-records.ts";
import { isLoss } from "./survey.ts";
import { touchedLogs } from "./stale-checkout.ts";
import { parseSettings, settingsAt, settingsFile } from "./settings-file.ts";

/** What merging needs of the store. */
export interface MergeTarget {
  readonly namespace: string;
  readonly prefix: string;
  readonly index: GraphIndex;
  readonly random: Random;
  readonly log: Log;
  /** Of the log that is written. */
  readonly logId: string;
  /** Changes are numbered beyond this from now on. */
  raiseSeq(seq: number): void;
  unflushed(): { readonly ids: ReadonlySet<string>; readonly events: readonly HistoryEntry[] };
  /** Runs a merge as one change by `actor`. */
  apply(
    actor: string,
    how: { readonly quiet: boolean; readonly clean: boolean },
    run: (stamp: string) => GraphMergeResult,
  ): Promise<GraphMergeResult>;
  /** Takes in a settings file; `base`: what both sides had before. */
  mergeSettings(base: SharedSettings, file: string): Promise<void>;
  markDirty(ids: Iterable<string>): void;
  observeStamp(record: BeadRecord): void;
  setAside(bad: readonly BadFile[]): Promise<void>;
}

/** Takes commits that others made into a store: edits with plain git, and branches of other clones. */
export class BranchMerger {
  readonly #repository: Repository;
  readonly #writer: BranchWriter;
  readonly #target: MergeTarget;
  readonly #reader: ForeignReader;
  /** A branch that memory contains already and that must become a parent of the next commit, with the files it brings. */
  #pending: { readonly tip: string; readonly files: ReadonlyMap<string, string | null> } | undefined;

  constructor(repository: Repository, writer: BranchWriter, target: MergeTarget) {
    this.#repository = repository;
    this.#writer = writer;
    this.#target = target;
    this.#reader = new ForeignReader(repository, writer.trees, () => target.index.statuses);
  }

  get pending(): { readonly tip: string; readonly files: ReadonlyMap<string, string | null> } | undefined {
    return this.#pending;
  }

  /** The pending branch is a parent of a commit now. */
  settled(): void {
    this.#pending = undefined;
  }

  /**
   * Undefined: there is nothing in it that we do not have. Throws TownError `FormatTooNew` when a later version of Town
   * wrote it.
   */
  async absorb(theirs: string): Promise<AbsorbReport | undefined> {
    const tip = this.#writer.tip;
    const shared = tip === undefined ? undefined : await this.#repository.mergeBase(tip, theirs);
    if (shared === theirs) return undefined;
    const touched = shared === undefined ? undefined : await touchedLogs(this.#repository, theirs);
    const base = (await this.#checkoutBehind(shared, theirs, touched?.from)) ?? shared;
    await requireKnownFormat(this.#repository, this.#writer.trees, theirs);
    const target = this.#target;
    // What we write from now on is in none of our commits that they have.
    target.raiseSeq((await positionsAt(this.#repository, theirs)).get(target.logId) ?? 0);
    const change = await this.#reader.read(base, theirs);
    const { ids: dirty, events: pendingEvents } = target.unflushed();
    const prepared = await prepareMerge(change, {
      repository: this.#repository,
      reader: this.#reader,
      index: target.index,
      prefix: target.prefix,
      random: target.random,
      base,
      ourTip: tip,
      theirTip: theirs,
      dirty,
      pendingEvents,
    });
    for (const record of change.theirs.values()) target.observeStamp(record);
    const badSettings = change.files.has(settingsFile) ? await this.#mergeSettings(base, theirs) : [];
    // Where their commit contains our tip, the next commit builds on theirs: only what differs from it must be written.
    const continues = tip === undefined || (base === tip && touched === undefined);
    const results: GraphMergeResult[] = [];
    for (const { actor, quiet, run } of prepared)
      results.push(await target.apply(actor, { quiet, clean: continues }, run));
    if (continues) {
      await this.#writer.fastForward(theirs);
      this.#pending = undefined;
      target.markDirty([...results.flatMap(({ differing }) => [...differing]), ...change.unlikeIds]);
    } else this.#pending = { tip: theirs, files: await this.#filesToTake(change.files) };
    await target.setAside([...change.bad, ...badSettings]);
    return this.#report(theirs, change.bad, results, continues);
  }

  /** Where a person committed from, when that is older than what both sides have. */
  async #checkoutBehind(
    shared: string | undefined,
    theirs: string,
    from: string | undefined,
  ): Promise<string | undefined> {
    if (shared === undefined || from === undefined || !(await this.#repository.isAncestor(from, shared)))
      return undefined;
    const { log, namespace } = this.#target;
    log.warn({ namespace, commit: theirs, from }, "commit was made in a checkout that is behind, it is merged");
    return from;
  }

  async #mergeSettings(base: string | undefined, theirs: string): Promise<readonly BadFile[]> {
    const file = await this.#settingsOf(theirs);
    const former = await this.#settingsOf(base).catch((error: unknown) => {
      // Then nothing counts as removed.
      if (isLoss(error)) return "";
      throw error;
    });
    await this.#target.mergeSettings(parseSettings(former).settings, file);
    return parseSettings(file).bad.map(({ line, text }) => ({
      path: `${settingsFile}:${line}`,
      commit: theirs,
      problem: "it is no setting",
      text,
    }));
  }

  async #settingsOf(commit: string | undefined): Promise<string> {
    const tree = commit === undefined ? undefined : (await this.#repository.objects.readCommit(commit))?.tree;
    return tree === undefined ? "" : settingsAt(this.#repository, this.#writer.trees, tree);
  }

  // Logs are joined, since each store only adds lines to its own; anything else is theirs.
  async #filesToTake(files: ReadonlyMap<string, string | null>): Promise<ReadonlyMap<string, string | null>> {
    const { objects } = this.#repository;
    const taken = new Map<string, string | null>();
    for (const [path, blob] of files) {
      const ours = path.startsWith("log/") ? await this.#writer.find(path) : undefined;
      // It says that the branch is one; nobody takes that away.
      if (path === versionFile && blob === null) continue;
      if (ours === undefined || ours === blob) taken.set(path, blob);
      else if (blob !== null) {
        const text = mergedLogText((await objects.readBlob(ours)) ?? "", (await objects.readBlob(blob)) ?? "");
        taken.set(path, await objects.writeBlob(text));
      }
    }
    return taken;
  }

  #report(
    commit: string,
    bad: readonly BadFile[],
    results: readonly GraphMergeResult[],
    continues: boolean,
  ): AbsorbReport {
    const { log, namespace } = this.#target;
    const lostClaims = results.flatMap((result) => result.lostClaims);
    const rekeyed = new Map(results.flatMap((result) => [...result.rekeyed]));
    const changed = results.flatMap(({ records }) => [...records.keys()]);
    log.info(
      { namespace, commit, changed: changed.length, diverged: !continues },
      "foreign commit of the work branch taken in",
    );
    for (const lost of lostClaims) log.warn({ namespace, ...lost }, "claim lost to an earlier one");
    for (const [from, to] of rekeyed) log.warn({ namespace, from, to }, "bead id was given twice and is changed");
    return { commit, changed, lostClaims, rekeyed, refused: bad.map(({ path }) => `${path}@${commit}`) };
  }
}
