const kinds = {
  /** Where the id of each row begins in `idBytes`; one more for the end. Ids are ASCII. */
  idStart: Uint32Array,
  idBytes: Uint8Array,
  /** Rows by the hash of their id, as row + 1 with linear probing; 0 is a free slot. Their number is a power of two. */
  idSlot: Uint32Array,
  /** Numbers into the list of the same name. */
  status: Uint32Array,
  issueType: Uint32Array,
  assignee: Uint32Array,
  labels: Uint32Array,
  priority: Uint8Array,
  flags: Uint8Array,
  /** ms */
  created: Float64Array,
  /** Rows that are deferred, in order, and until when, ms. */
  deferredRow: Uint32Array,
  deferredUntil: Float64Array,
  /** Rows whose creator gave them a key, in the order of the list `key`. */
  keyRow: Uint32Array,
  /** Where the edges of each row begin; one more for the end. */
  edgeStart: Uint32Array,
  /** Row that has the edge. */
  edgeRow: Uint32Array,
  /** Row it points at; `-1 - n`: number n of the list `outside`. */
  edgeTarget: Int32Array,
  edgeType: Uint32Array,
  /** Where the edges that point at each row begin in `backEdge`, then those that point at each of `outside`, then the end. */
  backStart: Uint32Array,
  backEdge: Uint32Array,
  /** Edges of type waits-for whose metadata says more, in the order of the list `waits`. */
  waitsEdge: Uint32Array,
  /** Where the text of each record lies, bytes, and the `textSum` of it. */
  textStart: Float64Array,
  textLength: Uint32Array,
  textSum: Uint32Array,
} as const;

export type ColumnName = keyof typeof kinds;
type ArrayOf<K> = K extends Uint8ArrayConstructor
  ? Uint8Array
  : K extends Uint32ArrayConstructor
    ? Uint32Array
    : K extends Int32ArrayConstructor
      ? Int32Array
      : Float64Array;
export type Arrays = { readonly [K in ColumnName]: ArrayOf<(typeof kinds)[K]> };

/** What is not of a fixed size: the distinct values of columns, and texts that few rows have. */
export interface Lists {
  readonly status: readonly string[];
  readonly issueType: readonly string[];
  readonly assignee: readonly string[];
  readonly labels: readonly (readonly string[])[];
  readonly edgeType: readonly string[];
  /** Ids that edges point at and that no row has. */
  readonly outside: readonly string[];
  readonly key: readonly string[];
  readonly waits: readonly string[];
}

export type ListName = keyof Lists;

/** What indexes, filters and orders need to know of many records, a column each. Rows are in order of creation, then of id. */
export interface Columns {
  readonly rows: number;
  /** Ids without a parent in them. */
  readonly topLevel: number;
  readonly deleted: number;
  readonly arrays: Arrays;
  list<K extends ListName>(name: K): Lists[K];
}

/** Bits of the column `flags`. */
export const rowFlag = { pinned: 1, template: 2, merged: 4, failed: 8, step: 16, deferred: 32 } as const;

/** The columns in the order in which they are written, and what holds their values. */
export const columnKinds = Object.entries(kinds) as readonly (readonly [ColumnName, (typeof kinds)[ColumnName]])[];

/** Where a search for an id begins. */
export function idHash(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Tells whether a text is the one that was written. */
export function textSum(text: string): number {
  let sum = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x85ebca6b) + i;
  return (sum ^ (sum >>> 13)) >>> 0;
}
