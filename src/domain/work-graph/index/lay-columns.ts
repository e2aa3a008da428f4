import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { compareIds } from "../ids/mint-id.ts";
import { edgesOf } from "../record/edges.ts";
import { isDeleted, keyOf } from "../record/facts.ts";
import { timeOf } from "../record/stamp.ts";
import { tombstone } from "../record/statuses.ts";
import type { BeadTable, TextPlace } from "./bead-table.ts";
import type { Arrays, ColumnName, Columns, ListName, Lists } from "./columns.ts";
import { columnKinds, idHash, rowFlag } from "./columns.ts";
import { flagsOf } from "./table-record.ts";

/** Records to be put away: rows of a former table that still count, and what was read or changed since. */
export interface LaidRecords {
  readonly table: BeadTable | undefined;
  /** In order. */
  readonly rows: Uint32Array;
  /** Where the texts of rows lie that were copied. */
  readonly places?: ReadonlyMap<number, TextPlace>;
  /** Each fits a table. */
  readonly records: readonly (readonly [BeadRecord, TextPlace])[];
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Sizes = Readonly<Record<ColumnName, number>>;

export interface LaidColumns {
  readonly columns: Columns;
  /** New row of each row of the former table, + 1; 0: it was left out. */
  readonly moved: Uint32Array;
  /** Row of each record by its id. */
  readonly recordRows: ReadonlyMap<string, number>;
}

/** Columns of all of them. What came out of the former table is copied, never read. */
export function layColumns(laid: LaidRecords): LaidColumns {
  return new Layout(laid).laid();
}

class Values<T> {
  readonly list: T[] = [];
  readonly #codes = new Map<string, number>();
  /** By number in the former table's list. */
  readonly #known: (number | undefined)[] = [];

  add(value: T): number {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    this.#codes.set(text, this.list.length);
    return this.list.push(value) - 1;
  }

  again(code: number, former: readonly T[]): number {
    return (this.#known[code] ??= this.add(former[code] as T));
  }
}

class Layout {
  readonly #table: BeadTable | undefined;
  readonly #rows: Uint32Array;
  readonly #places: LaidRecords["places"];
  readonly #records: readonly (readonly [BeadRecord, TextPlace])[];
  readonly #lists = {
    status: new Values<string>(),
    issueType: new Values<string>(),
    assignee: new Values<string>(),
    labels: new Values<readonly string[]>(),
    edgeType: new Values<string>(),
    outside: new Values<string>(),
  };
  readonly #keys: string[] = [];
  readonly #waits: string[] = [];
  readonly #moved: Uint32Array;
  readonly #recordRows = new Map<string, number>();
  readonly #arrays: Arrays;
  #edges = 0;
  #bytes = 0;
  #deferred = 0;

  constructor({ table, rows, places, records }: LaidRecords) {
    this.#table = table;
    this.#places = places;
    this.#rows = rows;
    this.#records = records
      .map(([record, place]) => [record, place, timeOf(record.created_at) ?? 0] as const)
      .sort(([a, , aMs], [b, , bMs]) => aMs - bMs || compareIds(a.id, b.id))
      .map(([record, place]) => [record, place]);
    this.#moved = new Uint32Array(table?.rows ?? 0);
    this.#arrays = emptyArrays(this.#sizes());
  }

  laid(): LaidColumns {
    const { arrays, counts } = this.#fill();
    const lists: Lists = {
      status: this.#lists.status.list,
      issueType: this.#lists.issueType.list,
      assignee: this.#lists.assignee.list,
      labels: this.#lists.labels.list,
      edgeType: this.#lists.edgeType.list,
      outside: this.#lists.outside.list,
      key: this.#keys,
      waits: this.#waits,
    };
    const list = <K extends ListName>(name: K): Lists[K] => lists[name];
    const columns = { rows: arrays.status.length, ...counts, arrays, list };
    return { columns, moved: this.#moved, recordRows: this.#recordRows };
  }

  #sizes(): Sizes {
    const rows = this.#rows.length + this.#records.length;
    const sizes = { ids: 0, edges: 0, deferred: 0, keys: 0, waits: 0 };
    if (this.#table !== undefined) this.#measureRows(this.#table.columns.arrays, sizes);
    for (const [record] of this.#records) {
      const edges = edgesIn(record);
      sizes.ids += record.id.length;
      sizes.edges += edges.length;
      sizes.waits += edges.filter(saysMore).length;
      if (timeOf(record.defer_until) !== undefined) sizes.deferred++;
      if (keyOf(record) !== undefined) sizes.keys++;
    }
    return sizesOf(rows, sizes);
  }

  #measureRows({ idStart, edgeStart, flags, keyRow, waitsEdge }: Arrays, sizes: Writable<Measured>): void {
    sizes.keys += keyRow.length;
    sizes.waits += waitsEdge.length;
    for (const row of this.#rows) {
      sizes.ids += (idStart[row + 1] ?? 0) - (idStart[row] ?? 0);
      sizes.edges += (edgeStart[row + 1] ?? 0) - (edgeStart[row] ?? 0);
      if (((flags[row] ?? 0) & rowFlag.deferred) !== 0) sizes.deferred++;
    }
  }

  #fill(): { readonly arrays: Arrays; readonly counts: Pick<Columns, "topLevel" | "deleted"> } {
    const order = this.#merged();
    order.forEach((from, row) => {
      if (from < this.#rows.length) this.#moved[this.#rows[from] ?? 0] = row + 1;
      else this.#recordRows.set(this.#records[from - this.#rows.length]?.[0].id ?? "", row);
    });
    const former = this.#table === undefined ? undefined : new FormerRows(this.#table);
    order.forEach((from, row) => {
      if (former !== undefined && from < this.#rows.length) this.#copyRow(former, this.#rows[from] ?? 0, row);
      else this.#putRecord(this.#records[from - this.#rows.length] as readonly [BeadRecord, TextPlace], row);
    });
    const { idStart, edgeStart, keyRow, waitsEdge } = this.#arrays;
    idStart[order.length] = this.#bytes;
    edgeStart[order.length] = this.#edges;
    const arrays: Arrays = {
      ...this.#arrays,
      keyRow: keyRow.slice(0, this.#keys.length),
      waitsEdge: waitsEdge.slice(0, this.#waits.length),
      backStart: this.#linkBack(order.length),
    };
    return { arrays, counts: this.#hashIds(order.length) };
  }

  /** Former rows and records in one order: numbers of rows, then of records. */
  #merged(): Uint32Array {
    const old = this.#rows.length;
    const order = new Uint32Array(old + this.#records.length);
    let [at, row] = [0, 0];
    this.#records.forEach(([record], i) => {
      const created = timeOf(record.created_at) ?? 0;
      while (row < old && (this.#table?.compare(this.#rows[row] ?? 0, created, record.id) ?? 0) < 0)
        order[at++] = row++;
      order[at++] = old + i;
    });
    while (row < old) order[at++] = row++;
    return order;
  }

  #copyRow(former: FormerRows, old: number, row: number): void {
    const { table, arrays: from, lists, keys } = former;
    const to = this.#arrays;
    to.idStart[row] = this.#bytes;
    for (let at = from.idStart[old] ?? 0; at < (from.idStart[old + 1] ?? 0); at++)
      to.idBytes[this.#bytes++] = from.idBytes[at] ?? 0;
    to.status[row] = this.#lists.status.again(from.status[old] ?? 0, lists.status);
    to.issueType[row] = this.#lists.issueType.again(from.issueType[old] ?? 0, lists.issueType);
    to.assignee[row] = this.#lists.assignee.again(from.assignee[old] ?? 0, lists.assignee);
    to.labels[row] = this.#lists.labels.again(from.labels[old] ?? 0, lists.labels);
    to.priority[row] = from.priority[old] ?? 0;
    to.flags[row] = from.flags[old] ?? 0;
    to.created[row] = from.created[old] ?? 0;
    to.textStart[row] = this.#places?.get(old)?.start ?? from.textStart[old] ?? 0;
    to.textLength[row] = from.textLength[old] ?? 0;
    to.textSum[row] = from.textSum[old] ?? 0;
    this.#defer(row, table.deferredUntil(old));
    const key = keys.get(old);
    if (key !== undefined) this.#setKey(row, key);
    this.#copyEdges(former, old, row);
  }

  #copyEdges({ table, arrays: from, lists }: FormerRows, old: number, row: number): void {
    const to = this.#arrays;
    to.edgeStart[row] = this.#edges;
    for (let edge = from.edgeStart[old] ?? 0; edge < (from.edgeStart[old + 1] ?? 0); edge++) {
      const target = from.edgeTarget[edge] ?? 0;
      const moved = target >= 0 ? (this.#moved[target] ?? 0) - 1 : -1;
      if (lists.hasMore.has(edge)) this.#waitsFor(table.edge(edge));
      to.edgeTarget[this.#edges] = moved >= 0 ? moved : this.#target(table.edge(edge).depends_on_id);
      to.edgeType[this.#edges] = this.#lists.edgeType.again(from.edgeType[edge] ?? 0, lists.edgeType);
      to.edgeRow[this.#edges++] = row;
    }
  }

  #putRecord([record, place]: readonly [BeadRecord, TextPlace], row: number): void {
    const to = this.#arrays;
    const { id } = record;
    to.idStart[row] = this.#bytes;
    for (let i = 0; i < id.length; i++) to.idBytes[this.#bytes++] = id.charCodeAt(i);
    to.status[row] = this.#lists.status.add(record.status);
    to.issueType[row] = this.#lists.issueType.add(record.issue_type);
    to.assignee[row] = this.#lists.assignee.add(record.assignee ?? "");
    to.labels[row] = this.#lists.labels.add(record.labels ?? []);
    to.priority[row] = record.priority;
    to.flags[row] = flagsOf(record);
    to.created[row] = timeOf(record.created_at) ?? 0;
    to.textStart[row] = place.start;
    to.textLength[row] = place.length;
    to.textSum[row] = place.sum;
    this.#defer(row, timeOf(record.defer_until));
    const key = isDeleted(record) ? undefined : keyOf(record);
    if (key !== undefined) this.#setKey(row, key);
    to.edgeStart[row] = this.#edges;
    for (const edge of edgesIn(record)) {
      if (saysMore(edge)) this.#waitsFor(edge);
      to.edgeTarget[this.#edges] = this.#target(edge.depends_on_id);
      to.edgeType[this.#edges] = this.#lists.edgeType.add(edge.type);
      to.edgeRow[this.#edges++] = row;
    }
  }

  #defer(row: number, until: number | undefined): void {
    if (until === undefined) return;
    this.#arrays.deferredRow[this.#deferred] = row;
    this.#arrays.deferredUntil[this.#deferred++] = until;
  }

  #setKey(row: number, key: string): void {
    this.#arrays.keyRow[this.#keys.length] = row;
    this.#keys.push(key);
  }

  #waitsFor({ metadata = "" }: DependencyEdge): void {
    this.#arrays.waitsEdge[this.#waits.length] = this.#edges;
    this.#waits.push(metadata);
  }

  #target(id: string): number {
    const record = this.#recordRows.get(id);
    if (record !== undefined) return record;
    const former = this.#table?.find(id) ?? -1;
    const moved = former < 0 ? 0 : (this.#moved[former] ?? 0);
    return moved > 0 ? moved - 1 : -1 - this.#lists.outside.add(id);
  }

  /** Edges by what they point at, each target's in order. */
  #linkBack(rows: number): Uint32Array {
    const { edgeTarget, backEdge } = this.#arrays;
    const targets = rows + this.#lists.outside.list.length;
    const start = new Uint32Array(targets + 1);
    const slot = (target: number): number => (target >= 0 ? target : rows - 1 - target);
    for (const target of edgeTarget) start[slot(target) + 1] = (start[slot(target) + 1] ?? 0) + 1;
    for (let i = 0; i < targets; i++) start[i + 1] = (start[i + 1] ?? 0) + (start[i] ?? 0);
    const next = start.slice();
    edgeTarget.forEach((target, edge) => {
      const at = next[slot(target)] ?? 0;
      backEdge[at] = edge;
      next[slot(target)] = at + 1;
    });
    return start;
  }

  #hashIds(rows: number): Pick<Columns, "topLevel" | "deleted"> {
    const { idStart, idBytes, idSlot, status } = this.#arrays;
    const mask = idSlot.length - 1;
    const gone = this.#lists.status.list.indexOf(tombstone);
    let [topLevel, deleted] = [0, 0];
    for (let row = 0; row < rows; row++) {
      let id = "";
      for (let at = idStart[row] ?? 0; at < (idStart[row + 1] ?? 0); at++) id += String.fromCharCode(idBytes[at] ?? 0);
      let slot = idHash(id) & mask;
      while (idSlot[slot] !== 0) slot = (slot + 1) & mask;
      idSlot[slot] = row + 1;
      if (!id.includes(".")) topLevel++;
      if (status[row] === gone) deleted++;
    }
    return { topLevel, deleted };
  }
}

/** The former table with what copying looks up again and again. */
class FormerRows {
  readonly table: BeadTable;
  readonly arrays: Arrays;
  readonly lists: Pick<Lists, "status" | "issueType" | "assignee" | "labels" | "edgeType"> & {
    readonly hasMore: ReadonlySet<number>;
  };
  readonly keys: ReadonlyMap<number, string>;

  constructor(table: BeadTable) {
    const { columns } = table;
    this.table = table;
    this.arrays = columns.arrays;
    this.lists = {
      status: columns.list("status"),
      issueType: columns.list("issueType"),
      assignee: columns.list("assignee"),
      labels: columns.list("labels"),
      edgeType: columns.list("edgeType"),
      hasMore: new Set(columns.arrays.waitsEdge),
    };
    this.keys = new Map(table.keys());
  }
}

/** A deleted record waits for nothing. */
function edgesIn(record: BeadRecord): readonly DependencyEdge[] {
  return isDeleted(record) ? [] : edgesOf(record);
}

function saysMore({ type, metadata }: DependencyEdge): boolean {
  return type === "waits-for" && metadata !== undefined;
}

interface Measured {
  /** Bytes. */
  readonly ids: number;
  readonly edges: number;
  readonly deferred: number;
  /** At most. */
  readonly keys: number;
  /** At most. */
  readonly waits: number;
}

function sizesOf(rows: number, { ids, edges, deferred, keys, waits }: Measured): Sizes {
  let slots = 2;
  while (slots < rows * 2) slots *= 2;
  return {
    idStart: rows + 1,
    idBytes: ids,
    idSlot: slots,
    status: rows,
    issueType: rows,
    assignee: rows,
    labels: rows,
    priority: rows,
    flags: rows,
    created: rows,
    deferredRow: deferred,
    deferredUntil: deferred,
    keyRow: keys,
    edgeStart: rows + 1,
    edgeRow: edges,
    edgeTarget: edges,
    edgeType: edges,
    // Made when it is known how many ids are outside.
    backStart: 0,
    backEdge: edges,
    waitsEdge: waits,
    textStart: rows,
    textLength: rows,
    textSum: rows,
  };
}

function emptyArrays(sizes: Sizes): Arrays {
  return Object.fromEntries(columnKinds.map(([name, Kind]) => [name, new Kind(sizes[name])])) as unknown as Arrays;
}
