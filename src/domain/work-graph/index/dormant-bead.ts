import type { BeadRecord, BeadSketch } from "../bead.ts";
import type { BeadTable } from "./bead-table.ts";
import { timeText } from "./bead-table.ts";
import { rowFlag } from "./columns.ts";

/** A record in a row of a table, unread: most are never asked for, and reading them is what loading a store costs. */
export class DormantBead implements BeadSketch {
  readonly #table: BeadTable;
  /** Moves on in a walk over many rows; never in one that somebody keeps. */
  row: number;

  constructor(table: BeadTable, row: number) {
    this.#table = table;
    this.row = row;
  }

  /** One to keep of a walk that goes on. */
  copy(): DormantBead {
    return new DormantBead(this.#table, this.row);
  }

  get id(): string {
    return this.#table.id(this.row);
  }

  get status(): string {
    return this.#table.status(this.row);
  }

  get priority(): number {
    return this.#table.priority(this.row);
  }

  get issue_type(): string {
    return this.#table.type(this.row);
  }

  /** To the millisecond. */
  get created_at(): string {
    return timeText(this.#table.created(this.row));
  }

  get assignee(): string {
    return this.#table.assignee(this.row);
  }

  get labels(): readonly string[] {
    return this.#table.labels(this.row);
  }

  get defer_until(): string {
    const until = this.#table.deferredUntil(this.row);
    return until === undefined ? "" : timeText(until);
  }

  get pinned(): boolean {
    return this.#table.hasFlag(this.row, rowFlag.pinned);
  }

  get is_template(): boolean {
    return this.#table.hasFlag(this.row, rowFlag.template);
  }

  /** Wisps are in no table. */
  get ephemeral(): false {
    return false;
  }

  /** ms */
  get createdMs(): number {
    return this.#table.created(this.row);
  }

  /** As far as indexes need it; never shown. */
  get facts(): BeadRecord {
    return this.#table.facts(this.row);
  }

  /** The whole record. */
  wake(): BeadRecord {
    return this.#table.record(this.row);
  }
}
