import { notWorkTypes } from "../record/bead-types.ts";
import { parentChild } from "../record/edges.ts";
import type { StatusBook } from "../record/statuses.ts";
import { isSettled, tombstone } from "../record/statuses.ts";
import type { BeadTable } from "./bead-table.ts";
import { rowFlag } from "./columns.ts";

/** What the columns alone tell of a row; `Unknown`: records that are awake, elsewhere or of rare kinds decide. */
export type RowVerdict = "Ready" | "NotReady" | "Unknown";

export interface RowReadinessOptions {
  readonly table: BeadTable;
  readonly statuses: StatusBook;
  readonly nowMs: number;
  /** Whether the row counts; what is awake is not in it. */
  readonly isAsleep: (row: number) => boolean;
}

/** What is known of a row as a parent. */
const holding = { unseen: 0, free: 1, holds: 2, unknown: 3, open: 4 } as const;
/** Ancestors looked at one above the other; beyond that the slow way decides. */
const maxHeight = 200;

interface StatusFacts {
  readonly isActive: boolean;
  readonly isSettled: boolean;
  /** It keeps its descendants from being ready. */
  readonly holds: boolean;
  readonly isDeleted: boolean;
}

type EdgeKind = "Parent" | "Blocks" | "MergeBlocks" | "ConditionalBlocks" | "WaitsFor" | undefined;

const edgeKinds: Readonly<Record<string, EdgeKind>> = {
  [parentChild]: "Parent",
  blocks: "Blocks",
  "merge-blocks": "MergeBlocks",
  "conditional-blocks": "ConditionalBlocks",
  "waits-for": "WaitsFor",
};

/** The rules of `isReady` and `readyList` for rows of a table, over columns: nothing is read and nothing is made. */
export class RowReadiness {
  readonly #options: RowReadinessOptions;
  readonly #statuses: readonly StatusFacts[];
  readonly #kinds: readonly EdgeKind[];
  /** Of each row as a parent: whether it, or what is above it, keeps its descendants from being ready. */
  readonly #above: Uint8Array;

  constructor(options: RowReadinessOptions) {
    const { table, statuses } = options;
    this.#options = options;
    this.#statuses = table.columns.list("status").map((status) => ({
      isActive: statuses.categoryOf(status) === "active",
      isSettled: isSettled(status, statuses),
      holds: status === "blocked" || statuses.categoryOf(status) === "frozen",
      isDeleted: status === tombstone,
    }));
    this.#kinds = table.columns.list("edgeType").map((type) => edgeKinds[type]);
    this.#above = new Uint8Array(table.rows);
  }

  /** Of a row that counts. */
  verdict(row: number): RowVerdict {
    const { table } = this.#options;
    const isCandidate = this.#status(row)?.isActive === true && !table.hasFlag(row, rowFlag.pinned | rowFlag.template);
    if (!isCandidate || this.#isDeferred(row)) return "NotReady";
    const blocked = this.#blocked(row);
    if (blocked === true) return "NotReady";
    const held = this.#heldAbove(row, 0);
    if (held === holding.holds) return "NotReady";
    return blocked === undefined || held === holding.unknown ? "Unknown" : "Ready";
  }

  /** The list that a ready row belongs to, wisps apart, which are in no table. */
  list(row: number): "Work" | "Epic" | "Other" {
    const { table } = this.#options;
    const type = table.type(row);
    if (notWorkTypes.has(type) || table.hasFlag(row, rowFlag.step)) return "Other";
    return type === "epic" ? "Epic" : "Work";
  }

  #status(row: number): StatusFacts | undefined {
    return this.#statuses[this.#options.table.columns.arrays.status[row] ?? 0];
  }

  #isDeferred(row: number): boolean {
    const until = this.#options.table.deferredUntil(row);
    return until !== undefined && until > this.#options.nowMs;
  }

  /** Whether it waits by itself; undefined: what is not in the columns decides. */
  #blocked(row: number): boolean | undefined {
    const { edgeStart, edgeType, edgeTarget } = this.#options.table.columns.arrays;
    let isUnknown = false;
    for (let edge = edgeStart[row] ?? 0; edge < (edgeStart[row + 1] ?? 0); edge++) {
      const kind = this.#kinds[edgeType[edge] ?? 0];
      if (kind === undefined || kind === "Parent") continue;
      const blocks = this.#edgeBlocks(kind, edgeTarget[edge] ?? -1);
      if (blocks === true) return true;
      isUnknown ||= blocks === undefined;
    }
    return isUnknown ? undefined : false;
  }

  #edgeBlocks(kind: EdgeKind, target: number): boolean | undefined {
    const { table, isAsleep } = this.#options;
    if (target < 0 || kind === "WaitsFor" || !isAsleep(target)) return undefined;
    const status = this.#status(target);
    if (status === undefined || status.isDeleted) return undefined;
    if (kind === "MergeBlocks") return !table.hasFlag(target, rowFlag.merged);
    if (kind === "ConditionalBlocks") return !table.hasFlag(target, rowFlag.failed);
    return !status.isSettled;
  }

  #heldAbove(row: number, height: number): number {
    const { edgeStart, edgeType, edgeTarget } = this.#options.table.columns.arrays;
    let held: number = holding.free;
    for (let edge = edgeStart[row] ?? 0; edge < (edgeStart[row + 1] ?? 0); edge++) {
      if (this.#kinds[edgeType[edge] ?? 0] !== "Parent") continue;
      const parent = this.#parentHolds(edgeTarget[edge] ?? -1, height + 1);
      if (parent === holding.holds) return parent;
      if (parent === holding.unknown) held = parent;
    }
    return held;
  }

  #parentHolds(row: number, height: number): number {
    if (row < 0 || height > maxHeight || !this.#options.isAsleep(row)) return holding.unknown;
    const known = this.#above[row] ?? 0;
    // A circle of parents.
    if (known === holding.open) return holding.unknown;
    if (known !== holding.unseen) return known;
    this.#above[row] = holding.open;
    const found = this.#findHolds(row, height);
    this.#above[row] = found;
    return found;
  }

  #findHolds(row: number, height: number): number {
    const status = this.#status(row);
    if (status === undefined || status.isDeleted) return holding.unknown;
    const blocked = status.isSettled ? false : status.holds || this.#isDeferred(row) || this.#blocked(row);
    if (blocked === true) return holding.holds;
    const above = this.#heldAbove(row, height);
    return above === holding.holds || blocked === false ? above : holding.unknown;
  }
}
