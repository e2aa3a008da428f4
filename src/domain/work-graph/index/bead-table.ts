import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { compareIds } from "../ids/mint-id.ts";
import type { Arrays, Columns, Lists } from "./columns.ts";
import { idHash, rowFlag } from "./columns.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const noEdges: readonly DependencyEdge[] = [];

/** Where the records of a table lie. */
export interface RowTexts {
  /** The whole record in a place, whose id is known. */
  record(place: TextPlace, id: string): BeadRecord;
  /** Its text as JSON. */
  text(place: TextPlace, id: string): string;
}

export interface TextPlace {
  /** Bytes. */
  readonly start: number;
  readonly length: number;
  /** See `textSum`. */
  readonly sum: number;
}

/** Many records by column, read where they lie: nothing is made of a row that nobody asks about. Rows are never changed. */
export class BeadTable {
  readonly columns: Columns;
  readonly #arrays: Arrays;
  readonly #texts: RowTexts;
  #outside: ReadonlyMap<string, number> | undefined;
  #waits: ReadonlyMap<number, string> | undefined;

  constructor(columns: Columns, texts: RowTexts) {
    this.columns = columns;
    this.#arrays = columns.arrays;
    this.#texts = texts;
  }

  get rows(): number {
    return this.columns.rows;
  }

  id(row: number): string {
    const { idStart, idBytes } = this.#arrays;
    const end = idStart[row + 1] ?? 0;
    let id = "";
    for (let at = idStart[row] ?? 0; at < end; at++) id += String.fromCharCode(idBytes[at] ?? 0);
    return id;
  }

  /** The row of an id; -1: there is none. */
  find(id: string): number {
    const { idSlot } = this.#arrays;
    const mask = idSlot.length - 1;
    for (let slot = idHash(id) & mask; mask >= 0; slot = (slot + 1) & mask) {
      const row = (idSlot[slot] ?? 0) - 1;
      if (row < 0 || this.#hasId(row, id)) return row;
    }
    return -1;
  }

  #hasId(row: number, id: string): boolean {
    const { idStart, idBytes } = this.#arrays;
    const start = idStart[row] ?? 0;
    if ((idStart[row + 1] ?? 0) - start !== id.length) return false;
    for (let i = 0; i < id.length; i++) if (idBytes[start + i] !== id.charCodeAt(i)) return false;
    return true;
  }

  status(row: number): string {
    return this.columns.list("status")[this.#arrays.status[row] ?? 0] ?? "";
  }

  type(row: number): string {
    return this.columns.list("issueType")[this.#arrays.issueType[row] ?? 0] ?? "";
  }

  /** `""`: nobody. */
  assignee(row: number): string {
    return this.columns.list("assignee")[this.#arrays.assignee[row] ?? 0] ?? "";
  }

  labels(row: number): readonly string[] {
    return this.columns.list("labels")[this.#arrays.labels[row] ?? 0] ?? [];
  }

  priority(row: number): number {
    return this.#arrays.priority[row] ?? 0;
  }

  /** ms */
  created(row: number): number {
    return this.#arrays.created[row] ?? 0;
  }

  hasFlag(row: number, flag: number): boolean {
    return ((this.#arrays.flags[row] ?? 0) & flag) !== 0;
  }

  /** Until when a row is deferred, ms; undefined: it is not. */
  deferredUntil(row: number): number | undefined {
    if (!this.hasFlag(row, rowFlag.deferred)) return undefined;
    const { deferredRow, deferredUntil } = this.#arrays;
    let low = 0;
    for (let high = deferredRow.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((deferredRow[middle] ?? 0) < row) low = middle + 1;
      else high = middle;
    }
    return deferredUntil[low];
  }

  /** Older first, then by id: what rows are in the order of. */
  compare(row: number, created: number, id: string): number {
    return this.created(row) - created || compareIds(this.id(row), id);
  }

  /** Rows with a value in a field, or with a label. */
  *rowsWith(field: "status" | "assignee" | "issue_type" | "label", value: string): Iterable<number> {
    const { columns } = this;
    if (field === "label") {
      const has = columns.list("labels").map((labels) => labels.includes(value));
      const { labels } = this.#arrays;
      for (let row = 0; row < labels.length; row++) if (has[labels[row] ?? 0] === true) yield row;
      return;
    }
    const name = field === "issue_type" ? "issueType" : field;
    const codes = this.#arrays[name];
    const code = columns.list(name).indexOf(value);
    for (let row = code < 0 ? -1 : codes.indexOf(code); row >= 0; row = codes.indexOf(code, row + 1)) yield row;
  }

  *deferrals(): Iterable<readonly [row: number, untilMs: number]> {
    const { deferredRow, deferredUntil } = this.#arrays;
    for (let i = 0; i < deferredRow.length; i++) yield [deferredRow[i] ?? 0, deferredUntil[i] ?? 0];
  }

  *keys(): Iterable<readonly [row: number, key: string]> {
    const list = this.columns.list("key");
    const { keyRow } = this.#arrays;
    for (let i = 0; i < keyRow.length; i++) yield [keyRow[i] ?? 0, list[i] ?? ""];
  }

  /** Edges of a row, without who made them and when. */
  edges(row: number): readonly DependencyEdge[] {
    const { edgeStart } = this.#arrays;
    const [start = 0, end = 0] = [edgeStart[row], edgeStart[row + 1]];
    if (start === end) return noEdges;
    const edges: DependencyEdge[] = [];
    for (let edge = start; edge < end; edge++) edges.push(this.edge(edge));
    return edges;
  }

  /** One edge by its number. */
  edge(edge: number): DependencyEdge {
    const { edgeRow, edgeTarget, edgeType } = this.#arrays;
    const target = edgeTarget[edge] ?? 0;
    const type = this.columns.list("edgeType")[edgeType[edge] ?? 0] ?? "";
    const metadata = type === "waits-for" ? this.#waitsMetadata(edge) : undefined;
    return {
      issue_id: this.id(edgeRow[edge] ?? 0),
      depends_on_id: target >= 0 ? this.id(target) : (this.columns.list("outside")[-1 - target] ?? ""),
      type,
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  /** Numbers of the edges that point at an id, be it a row or not. */
  edgesTo(id: string): Uint32Array {
    const row = this.find(id);
    if (row >= 0) return this.edgesToRow(row);
    const outside = this.#outsideNumbers.get(id);
    return outside === undefined ? this.edgesToRow(this.rows, this.rows) : this.edgesToRow(this.rows + outside);
  }

  /** As `edgesTo`, of a row, or of `rows` and a number of `outside`. */
  edgesToRow(target: number, next = target + 1): Uint32Array {
    const { backStart, backEdge } = this.#arrays;
    return backEdge.subarray(backStart[target], backStart[next]);
  }

  /** Edges of type waits-for, by number. */
  *waits(): Iterable<number> {
    const type = this.columns.list("edgeType").indexOf("waits-for");
    const { edgeType } = this.#arrays;
    for (let edge = type < 0 ? -1 : edgeType.indexOf(type); edge >= 0; edge = edgeType.indexOf(type, edge + 1))
      yield edge;
  }

  /** What is in a row, in the shape of a record: all that indexes look at, and nothing that only people read. */
  facts(row: number): BeadRecord {
    const facts: Writable<BeadRecord> = {
      id: this.id(row),
      title: "",
      status: this.status(row),
      priority: this.priority(row),
      issue_type: this.type(row),
      created_at: timeText(this.created(row)),
      updated_at: "",
    };
    const assignee = this.assignee(row);
    if (assignee !== "") facts.assignee = assignee;
    const labels = this.labels(row);
    if (labels.length > 0) facts.labels = labels;
    const edges = this.edges(row);
    if (edges.length > 0) facts.dependencies = edges;
    const until = this.deferredUntil(row);
    if (until !== undefined) facts.defer_until = timeText(until);
    if (this.hasFlag(row, rowFlag.pinned)) facts.pinned = true;
    if (this.hasFlag(row, rowFlag.template)) facts.is_template = true;
    if (this.hasFlag(row, rowFlag.failed)) facts.close_reason = "failed";
    const metadata = {
      ...(this.hasFlag(row, rowFlag.step) ? { "town.step": true } : {}),
      ...(this.hasFlag(row, rowFlag.merged) ? { "town.merged": true } : {}),
    };
    if (Object.keys(metadata).length > 0) facts.metadata = metadata;
    return facts;
  }

  place(row: number): TextPlace {
    const { textStart, textLength, textSum } = this.#arrays;
    return { start: textStart[row] ?? 0, length: textLength[row] ?? 0, sum: textSum[row] ?? 0 };
  }

  /** The whole record. */
  record(row: number): BeadRecord {
    return this.#texts.record(this.place(row), this.id(row));
  }

  /** Its text as JSON, unread. */
  text(row: number): string {
    return this.#texts.text(this.place(row), this.id(row));
  }

  get #outsideNumbers(): ReadonlyMap<string, number> {
    this.#outside ??= new Map(this.columns.list("outside").map((id, i) => [id, i]));
    return this.#outside;
  }

  #waitsMetadata(edge: number): string | undefined {
    if (this.#waits === undefined) {
      const texts: Lists["waits"] = this.columns.list("waits");
      this.#waits = new Map([...this.#arrays.waitsEdge].map((number, i) => [number, texts[i] ?? ""]));
    }
    return this.#waits.get(edge);
  }
}

/** A time as text. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
