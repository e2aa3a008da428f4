import type { BeadRecord, DependencyEdge } from "../bead.ts";
import type { BeadTable } from "./bead-table.ts";
import { noEdges } from "./bead-table.ts";

/** A record in a row of a table, unread: most are never asked for, and reading them is what loading a store costs. */
export class DormantBead {
  readonly id: string;
  readonly table: BeadTable;
  readonly row: number;
  #facts: BeadRecord | undefined;
  #edges: readonly DependencyEdge[] | undefined;

  constructor(table: BeadTable, row: number, id: string) {
    this.table = table;
    this.row = row;
    this.id = id;
  }

  get status(): string {
    return this.table.value("status", this.row);
  }

  get priority(): number {
    return this.table.priority(this.row);
  }

  get created(): string {
    return this.table.created(this.row);
  }

  /** As far as indexes need it; never shown. */
  get facts(): BeadRecord {
    this.#facts ??= this.table.facts(this.row, this.edges);
    return this.#facts;
  }

  /** The same without edges, which cost more to make than all the rest; not kept. */
  sketch(): BeadRecord {
    return this.#facts ?? this.table.facts(this.row, noEdges);
  }

  /** Its edges, without who made them and when. */
  get edges(): readonly DependencyEdge[] {
    this.#edges ??= this.table.edges(this.row);
    return this.#edges;
  }

  /** Whether it has an edge to a record. */
  pointsAt(id: string): boolean {
    return this.table.pointsAt(this.row, id);
  }

  /** The key of its creator. */
  get key(): string | undefined {
    return this.table.key(this.row);
  }

  /** Whether it has a value, or a label; `""` for assignee means none. */
  has(field: "status" | "issue_type" | "assignee" | "label", value: string): boolean {
    return field === "label"
      ? this.table.labels(this.row).includes(value)
      : this.table.value(field, this.row) === value;
  }

  /** The whole record as JSON, unread. */
  text(): string {
    return this.table.text(this.row);
  }

  /** The whole record. */
  wake(): BeadRecord {
    return this.table.record(this.row);
  }
}
