import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { recordPath } from "../domain/work-graph/ids/record-path.ts";
import { canonicalJson } from "../domain/work-graph/record/canonical.ts";
import type { GitIdentity, Repository } from "../ports/git.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import type { CommitHead } from "./commit-head.ts";
import type { LogPlace } from "./event-log.ts";
import { appendToLog, eventLine } from "./event-log.ts";
import { positionsAt, versionFile, versionText } from "./git-records.ts";
import { requireCommit } from "./load-commit.ts";
import { flushedRef } from "./paths.ts";
import { refValue } from "./salvage.ts";
import type { TreeWriter } from "./tree-writer.ts";

/** What one commit adds to the branch. */
export interface BranchChange {
  /** New state per id; undefined: the file goes. */
  readonly records: ReadonlyMap<string, BeadRecord | undefined>;
  readonly events: readonly HistoryEntry[];
  /** Position of this store's log that the commit contains. */
  readonly seq: number;
  /** Further files to set, such as logs of a branch that is merged in: path to blob. */
  readonly files?: ReadonlyMap<string, string | null>;
  /** Tip of a branch that is merged in by this commit. */
  readonly merged?: string | undefined;
}

export interface BranchWriterOptions {
  readonly repository: Repository;
  readonly trees: TreeWriter;
  readonly branch: string;
  readonly logId: string;
  readonly now: () => number;
  /** Who commits. */
  readonly committer: Omit<GitIdentity, "timeMs">;
  /** Address of who made a change; undefined: that of the committer. */
  readonly emailOf?: ((actor: string) => string | undefined) | undefined;
}

const maxNamed = 4;

/** Writes commits of the work branch as objects; index, worktrees and other branches are never touched. */
export class BranchWriter {
  readonly #options: BranchWriterOptions;
  readonly trees: TreeWriter;
  #pin: string | undefined;
  #tip: string | undefined;
  #tree: string;
  #positions = new Map<string, number>();
  readonly #logPlace: LogPlace = { day: "", number: 1 };

  constructor(options: BranchWriterOptions) {
    this.#options = options;
    this.trees = options.trees;
    this.#tree = options.repository.objects.emptyTree;
  }

  /** Commit that the next one builds on. */
  get tip(): string | undefined {
    return this.#tip;
  }

  /** Blob of a file of the tip. */
  find(path: string): Promise<string | undefined> {
    return this.trees.find(this.#tree, path);
  }

  positionOf(log: string): number {
    return this.#positions.get(log) ?? 0;
  }

  /** What the next commit writes contains a log up to `seq`. */
  contains(log: string, seq: number): void {
    this.#positions.set(log, Math.max(seq, this.positionOf(log)));
  }

  /** The tip with what must be known to build on it; undefined before the first commit. */
  get head(): CommitHead | undefined {
    const commit = this.#tip;
    return commit === undefined
      ? undefined
      : { commit, tree: this.#tree, positions: Object.fromEntries(this.#positions) };
  }

  /** Takes a commit that is known as the one to build on. `pin`: what the pin of this store says now. */
  start({ commit, tree, positions }: CommitHead, pin: string | undefined): void {
    this.#pin = pin;
    this.#tip = commit;
    this.#tree = tree;
    this.#positions = new Map(Object.entries(positions));
  }

  async #adopt(commit: string): Promise<void> {
    const { repository } = this.#options;
    const { tree } = await requireCommit(repository, commit);
    const positions = Object.fromEntries(await positionsAt(repository, commit));
    this.start({ commit, tree, positions }, this.#pin);
  }

  /** Takes the way back to a commit that is whole, or to none: what it built on is lost. */
  async startAnew(head: CommitHead | undefined): Promise<void> {
    await this.readPin();
    if (head !== undefined) return this.start(head, this.#pin);
    this.#tip = undefined;
    this.#tree = this.#options.repository.objects.emptyTree;
    this.#positions = new Map();
  }

  /** Reads the pin again, after somebody moved refs meanwhile. */
  async readPin(): Promise<void> {
    this.#pin = await refValue(this.#options.repository, flushedRef);
  }

  /** Builds on a commit that contains the tip. */
  async fastForward(commit: string): Promise<void> {
    const former = this.#positions;
    await this.#adopt(commit);
    for (const [id, seq] of former) this.#positions.set(id, Math.max(seq, this.positionOf(id)));
  }

  /**
   * Writes one commit and moves the branch from `expected` (undefined: it does not exist) to it, together with the pin.
   * Undefined when somebody moved the branch meanwhile; nothing but unreferenced objects is left then. Throws AdapterError
   * `CommitMissing`, `ObjectMissing` when what it builds on is lost.
   */
  async commit(change: BranchChange, expected: string | undefined): Promise<string | undefined> {
    const { repository, logId } = this.#options;
    // A commit on one that git has lost could be read, and neither collected nor pushed.
    if (this.#tip !== undefined) await requireCommit(repository, this.#tip);
    const tree = await this.#writeTree(change);
    // Nothing but what the tip has: the refs follow it, and clones do not answer each other's empty commits for ever.
    if (tree === this.#tree && change.merged === undefined && this.#tip !== undefined) {
      return (await this.#moveRefs(expected, this.#tip)) ? this.#tip : undefined;
    }
    const positions = new Map(this.#positions);
    const merged = change.merged === undefined ? [] : await positionsAt(repository, change.merged);
    for (const [id, seq] of merged) positions.set(id, Math.max(seq, positions.get(id) ?? 0));
    positions.set(logId, Math.max(change.seq, positions.get(logId) ?? 0));
    const { emailOf } = this.#options;
    const committer = { ...this.#options.committer, timeMs: this.#options.now() };
    const actors = [...new Set(change.events.map(({ actor }) => actor))];
    const [only] = actors;
    const commit = await repository.objects.writeCommit({
      tree,
      parents: [this.#tip, change.merged].filter((parent) => parent !== undefined),
      message: messageFor(change, actors, positions),
      author:
        actors.length === 1 && only !== undefined
          ? { ...committer, name: only, email: emailOf?.(only) ?? committer.email }
          : committer,
      committer,
    });
    if (!(await this.#moveRefs(expected, commit))) return undefined;
    this.#tip = commit;
    this.#tree = tree;
    this.#positions = positions;
    return commit;
  }

  async #moveRefs(expected: string | undefined, commit: string): Promise<boolean> {
    const { repository, branch } = this.#options;
    if (expected === commit && this.#pin === commit) {
      // One that was lost and is made again within the second has the same name, and no ref update syncs it.
      await repository.objects.restore();
      return true;
    }
    const updates = [
      { ref: branch, from: expected ?? null, to: commit },
      { ref: flushedRef, from: this.#pin ?? null, to: commit },
    ];
    if (!(await repository.updateRefs(updates, "town: flush"))) return false;
    this.#pin = commit;
    return true;
  }

  async #writeTree(change: BranchChange): Promise<string> {
    const { objects } = this.#options.repository;
    const files = new Map<string, string | null>(change.files ?? []);
    await Promise.all(
      [...change.records].map(async ([id, record]) => {
        files.set(recordPath(id), record === undefined ? null : await objects.writeBlob(`${canonicalJson(record)}\n`));
      }),
    );
    if ((await this.trees.find(this.#tree, versionFile)) === undefined)
      files.set(versionFile, await objects.writeBlob(versionText));
    if (change.events.length > 0) {
      const log = {
        id: this.#options.logId,
        timeMs: this.#options.now(),
        lines: change.events.map(eventLine),
        place: this.#logPlace,
      };
      for (const [path, blob] of await appendToLog(objects, this.trees, this.#tree, log)) files.set(path, blob);
    }
    return this.trees.apply(this.#tree, files);
  }
}

function messageFor(change: BranchChange, actors: readonly string[], positions: ReadonlyMap<string, number>): string {
  const ids = [...change.records.keys()];
  const more = ids.length > maxNamed ? ` and ${ids.length - maxNamed} more` : "";
  const subject =
    ids.length === 0
      ? change.merged === undefined
        ? "start"
        : "merge"
      : `${ids.slice(0, maxNamed).join(", ")}${more}`;
  const trailers = [
    ...actors.slice(0, 20).map((actor) => `Town-Actor: ${oneLine(actor)}`),
    ...[...positions].map(([id, seq]) => `Town-Wal: ${id}=${seq}`),
  ];
  return `work: ${subject}\n\n${trailers.join("\n")}\n`;
}

function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
}
