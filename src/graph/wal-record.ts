import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { fenceOf } from "../domain/work-graph/record/facts.ts";
import type { Author } from "../ports/work-graph.ts";

/** One change of one record in a log. Short keys: this is written for every change. */
export interface WalOperation {
  /** Bead id. */
  readonly i: string;
  /** Fingerprint of the state this change was made on; null: the record did not exist. */
  readonly w: string | null;
  /** The new record; null: gone without a trace. */
  readonly d: BeadRecord | null;
  /** Rev of the record afterwards. */
  readonly k: number;
  /** 1: it is, or was, a wisp. */
  readonly e?: 1;
  /** 1: nothing but a lease was renewed; the branch need not know. */
  readonly l?: 1;
  /** Why, when the caller said so. */
  readonly m?: string;
}

/** One transaction in a log. */
export interface WalRecord {
  /** Seq of the first operation; the others follow it. A transaction without operation takes one seq. */
  readonly s: number;
  /** ms. */
  readonly t: number;
  readonly a: string;
  /** Session. */
  readonly n?: string;
  /** Request id, and the answer it got. */
  readonly r?: string;
  readonly v?: unknown;
  /** 1: its events are in another log already. */
  readonly q?: 1;
  readonly o: readonly WalOperation[];
}

export function lastSeqOf(record: WalRecord): number {
  return record.s + Math.max(1, record.o.length) - 1;
}

export function authorOf(record: WalRecord): Author {
  return record.n === undefined ? { actor: record.a } : { actor: record.a, session: record.n };
}

/**
 * Tells versions of a record apart, so that a replayed change is applied to the state it was made on or not at all. Every
 * transaction gives a record a later `updated_at` than it had; the rest tells apart what merges and imports put in with a
 * time of their own. Lease times are left out: renewals are kept in memory.
 */
export function fingerprint(record: BeadRecord | undefined): string | null {
  if (record === undefined) return null;
  const { updated_at: at, status, assignee, title, description, labels, dependencies, comments } = record;
  const sizes = [title, description, labels, dependencies, comments].map((value) => value?.length ?? 0).join(".");
  return `${at} ${status} ${assignee ?? ""} ${sizes} ${fenceOf(record)}`;
}

/** A transaction of a log line; undefined when the line is damaged. */
export function parseWalRecord(line: string): WalRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const record = value as Partial<WalRecord> | null;
  const whole =
    typeof record === "object" &&
    record !== null &&
    Number.isSafeInteger(record.s) &&
    typeof record.t === "number" &&
    typeof record.a === "string" &&
    Array.isArray(record.o) &&
    record.o.every(isOperation);
  return whole ? (record as WalRecord) : undefined;
}

function isOperation(value: unknown): boolean {
  const operation = value as Partial<WalOperation> | null;
  if (typeof operation !== "object" || operation === null || typeof operation.i !== "string") return false;
  const record = operation.d;
  return record === null || (typeof record === "object" && record.id === operation.i);
}
