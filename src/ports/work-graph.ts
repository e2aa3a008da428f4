import type { BeadComment, BeadRecord, BeadSketch } from "../domain/work-graph/bead.ts";
import type { GraphView } from "../domain/work-graph/queries/graph-view.ts";

/** Who makes a change; kept with it for ever. */
export interface Author {
  /** Agent identity, a person's name, or `loop/<name>`. */
  readonly actor: string;
  /** Session that acts, `<agent>@<generation>`. */
  readonly session?: string;
}

/** Fields of a record that callers may set; id, created_* and updated_* are the store's. `null` removes a key. */
export type BeadPatch = { readonly [K in keyof BeadRecord]?: BeadRecord[K] | null };

export interface NewBead
  extends Partial<Omit<BeadRecord, "id" | "created_at" | "updated_at" | "dependencies" | "comments">> {
  readonly title: string;
  /** Given id; else minted. Refused when taken. */
  readonly id?: string;
  /** With a parent: the id is a child of it (`parent.N`) and a parent-child edge is added. */
  readonly parent?: string;
  readonly dependsOn?: readonly { readonly id: string; readonly type?: string }[];
}

/** Exact, and combined with and. */
export interface SketchFilter {
  readonly status?: readonly string[];
  readonly excludeStatus?: readonly string[];
  readonly type?: readonly string[];
  readonly assignee?: string;
  readonly label?: string;
}

export interface FirstSketches {
  readonly fits: (sketch: BeadSketch) => boolean;
  /** Less than zero: `a` comes first. */
  readonly compare: (a: BeadSketch, b: BeadSketch) => number;
  readonly first: number;
}

/** Reads inside and outside of transactions. All results are frozen. */
export interface GraphReader extends GraphView {
  /** By the idempotency key in `metadata["town.key"]`. */
  byKey(key: string): BeadRecord | undefined;
  /** All records, wisps included, in id order; filters are exact and combined with and. */
  list(filter?: {
    readonly status?: readonly string[];
    readonly excludeStatus?: readonly string[];
    readonly type?: readonly string[];
    readonly assignee?: string;
    readonly label?: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
  }): readonly BeadRecord[];
  /** How many records `list` finds without a filter. Costs nothing. */
  readonly size: number;
  /** As `list`, in no order and without reading what is asleep: for filtering and ordering many to show few. */
  sketches(filter?: SketchFilter): readonly BeadSketch[];
  /**
   * Of what `sketches` finds and `fits` accepts the first few in an order, and how many there are in all. Nothing is made of
   * those that are only counted: what `fits` and `compare` are given may be another bead after they return.
   */
  firstSketches(
    filter: SketchFilter,
    want: FirstSketches,
  ): { readonly first: readonly BeadSketch[]; readonly total: number };
  /** As `ready`, without reading what is asleep. */
  readySketches(options?: { readonly type?: string; readonly limit?: number }): readonly BeadSketch[];
  /** How many `ready` finds without a filter. */
  readyCount(): number;
  /** Counter raised by each change of the record since the store was made; absent record: 0. */
  revOf(id: string): number;
}

/**
 * A transaction. Reads see its own writes; nothing is visible to others before it commits; a throw drops it whole.
 * Every write checks the rules of the work graph and throws TownError with a reason (`AlreadyClaimed`, `NotFound`, …).
 */
export interface GraphTransaction extends GraphReader {
  /** Time of the transaction, ms. */
  readonly now: number;
  readonly author: Author;
  create(bead: NewBead): BeadRecord;
  /** Sets fields; refuses changes of claim fields by someone who does not hold the claim unless `force`. */
  update(id: string, patch: BeadPatch, options?: { readonly force?: boolean }): BeadRecord;
  /** Merges keys into `metadata`; null removes a key. */
  setMetadata(id: string, patch: Readonly<Record<string, unknown>>): BeadRecord;
  /**
   * Takes the bead for `assignee`: status becomes `status` (default in_progress), fence + 1, lease set. Idempotent for
   * the holder. Throws `AlreadyClaimed` or `NotClaimable`.
   */
  claim(
    id: string,
    assignee: string,
    options?: { readonly status?: "in_progress" | "hooked"; readonly generation?: number; readonly leaseMs?: number },
  ): BeadRecord;
  /** Gives a claim back: status open, assignee, lease and generation cleared; the fence stays. */
  release(id: string, options?: { readonly reason?: string }): BeadRecord;
  renewLease(id: string, leaseMs: number): BeadRecord;
  close(id: string, options?: { readonly reason?: string; readonly force?: boolean }): BeadRecord;
  reopen(id: string, options?: { readonly reason?: string }): BeadRecord;
  addDependency(id: string, dependsOn: string, type?: string, metadata?: string): void;
  removeDependency(id: string, dependsOn: string): void;
  addLabel(id: string, label: string): void;
  removeLabel(id: string, label: string): void;
  comment(id: string, text: string): BeadComment;
  /** Leaves a tombstone (or nothing, for a wisp). */
  delete(id: string, reason?: string): void;
}

export interface GraphChange {
  /** Position in this store's feed; strictly rising. */
  readonly seq: number;
  readonly id: string;
  readonly before: BeadRecord | undefined;
  readonly after: BeadRecord | undefined;
  readonly author: Author;
  readonly timeMs: number;
}

/** One store: the beads of one rig, or of the town (`hq`). */
export interface WorkGraph extends GraphReader {
  readonly namespace: string;
  readonly prefix: string;
  /**
   * Runs `work` against the newest state and makes its writes durable (fdatasync) before resolving. `work` is
   * synchronous and may run again after a conflict. The same `requestId` a second time changes nothing and returns the
   * first answer, which must be JSON; transactions that only renew leases are not remembered beyond this process.
   */
  transact<T>(author: Author, work: (tx: GraphTransaction) => T, options?: { readonly requestId?: string }): Promise<T>;
  /** What the transaction with this `requestId` answered; undefined: none has committed, or 2,000 others have since. */
  answerOf(requestId: string): { readonly answer: unknown } | undefined;
  /** Every later committed change in order. Returns the unsubscribe function. */
  subscribe(listener: (changes: readonly GraphChange[]) => void): () => void;
  /** Writes everything acknowledged so far to the branch; resolves with its commit. */
  flush(): Promise<{ readonly commit: string }>;
  history(id: string): Promise<readonly HistoryEntry[]>;
  close(): Promise<void>;
}

/** One change of one record, as `show` prints it. */
export interface HistoryEntry {
  readonly timeMs: number;
  readonly actor: string;
  readonly session?: string;
  readonly id: string;
  /** created, updated, status_changed, claimed, closed, reopened, commented, dependency_added, … */
  readonly event: string;
  readonly changes: readonly { readonly field: string; readonly from?: unknown; readonly to?: unknown }[];
}

/** All stores this process serves. */
export interface WorkGraphs {
  /** Undefined while the rig has no clone yet. */
  graph(namespace: string): WorkGraph | undefined;
  /** Store that owns this bead id by its prefix. */
  graphOf(id: string): WorkGraph | undefined;
  /** The id belongs to a store that is there and not open (yet). */
  isAway(id: string): boolean;
  all(): readonly WorkGraph[];
}
