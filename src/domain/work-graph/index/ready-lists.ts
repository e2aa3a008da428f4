import type { BeadRecord } from "../bead.ts";
import { tombstone } from "../record/statuses.ts";
import type { BeadTable } from "./bead-table.ts";
import { DormantBead } from "./dormant-bead.ts";
import { isReady, readyList } from "./readiness.ts";
import { ReadyRows } from "./ready-rows.ts";
import { ReadySet } from "./ready-set.ts";
import type { RecordLayers } from "./record-layers.ts";
import type { RecordSource } from "./record-source.ts";
import { RowReadiness } from "./row-readiness.ts";

export type ReadyListName = "Work" | "Epic" | "Wisp" | "Other";

/** Where the time of a set of records is known. */
interface TimedSource extends RecordSource {
  readonly nowMs: number;
}

/** What is ready, by what it is handed out as. */
export class ReadyLists {
  readonly #source: TimedSource;
  readonly #records: RecordLayers;
  readonly #sets: Readonly<Record<ReadyListName, ReadySet>> = {
    Work: new ReadySet(),
    Epic: new ReadySet(),
    Wisp: new ReadySet(),
    Other: new ReadySet(),
  };

  constructor(source: TimedSource, records: RecordLayers) {
    this.#source = source;
    this.#records = records;
  }

  list(name: ReadyListName): ReadySet {
    return this.#sets[name];
  }

  /** Looks at records again. */
  update(stale: ReadonlySet<string> | "Everything"): void {
    const held = new Map<string, boolean>();
    if (stale === "Everything") {
      for (const set of Object.values(this.#sets)) set.clear();
      for (const record of this.#records.awakeRecords()) this.#evaluate(record, held);
      if (this.#records.table !== undefined) this.#evaluateRows(this.#records.table, held);
      return;
    }
    // Inserting each into a sorted list moves its tail; from a few thousand on sorting once is cheaper.
    if (stale.size > 2_000) for (const set of Object.values(this.#sets)) set.unsort();
    for (const id of stale) {
      const found = this.#records.get(id);
      const list = found === undefined ? undefined : this.#evaluate(found, held);
      for (const [name, set] of Object.entries(this.#sets)) if (name !== list) set.remove(id);
    }
  }

  /** All rows that count, by their columns; the few that those do not tell about as any other record. */
  #evaluateRows(table: BeadTable, held: Map<string, boolean>): void {
    const { statuses, nowMs } = this.#source;
    const isAsleep = (row: number): boolean => this.#records.isAsleep(row);
    const rows = new RowReadiness({ table, statuses, nowMs, isAsleep });
    const lists = { Work: new ReadyRows(table), Epic: new ReadyRows(table), Other: new ReadyRows(table) };
    for (const name of ["Work", "Epic", "Other"] as const) this.#sets[name].lay(lists[name]);
    for (let row = 0; row < table.rows; row++) {
      if (!isAsleep(row)) continue;
      const verdict = rows.verdict(row);
      if (verdict === "NotReady") continue;
      if (verdict === "Ready" || isReady(this.#source, table.facts(row), nowMs, held)) lists[rows.list(row)].add(row);
    }
  }

  /** Puts a record into the list where it belongs and says which; undefined: it is not ready. */
  #evaluate(found: BeadRecord | DormantBead, held: Map<string, boolean>): ReadyListName | undefined {
    const { statuses, nowMs } = this.#source;
    // Most are closed, and then nothing else of them need be known.
    if (found.status === tombstone || statuses.categoryOf(found.status) !== "active") return undefined;
    const facts = found instanceof DormantBead ? found.facts : found;
    if (!isReady(this.#source, facts, nowMs, held)) return undefined;
    const list = readyList(facts);
    this.#sets[list].add(found);
    return list;
  }
}
