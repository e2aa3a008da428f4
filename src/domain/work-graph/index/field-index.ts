import type { BeadRecord } from "../bead.ts";
import { isDeleted } from "../record/facts.ts";

const none: ReadonlySet<string> = new Set();

/** Ids by the values of one field. Built when first asked for, kept up to date from then on. */
export class FieldIndex {
  readonly #valuesOf: (record: BeadRecord) => readonly string[];
  #ids: Map<string, Set<string>> | undefined;

  constructor(valuesOf: (record: BeadRecord) => readonly string[]) {
    this.#valuesOf = valuesOf;
  }

  ids(value: string, records: Iterable<BeadRecord>): ReadonlySet<string> {
    if (this.#ids === undefined) {
      this.#ids = new Map();
      for (const record of records) this.#add(record, this.#ids);
    }
    return this.#ids.get(value) ?? none;
  }

  change(before: BeadRecord | undefined, after: BeadRecord | undefined): void {
    if (this.#ids === undefined) return;
    if (before !== undefined && !isDeleted(before)) {
      for (const value of this.#valuesOf(before)) this.#ids.get(value)?.delete(before.id);
    }
    if (after !== undefined) this.#add(after, this.#ids);
  }

  #add(record: BeadRecord, ids: Map<string, Set<string>>): void {
    if (isDeleted(record)) return;
    for (const value of this.#valuesOf(record)) {
      const members = ids.get(value);
      if (members === undefined) ids.set(value, new Set([record.id]));
      else members.add(record.id);
    }
  }
}
