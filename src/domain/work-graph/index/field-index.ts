import type { BeadRecord } from "../bead.ts";
import { isDeleted } from "../record/facts.ts";

/** Ids by the values of one field. What has a value is looked for when it is first asked for, and kept up to date from then on. */
export class FieldIndex {
  readonly #field: keyof BeadRecord;
  readonly #valuesOf: (record: BeadRecord) => readonly string[];
  readonly #ids = new Map<string, Set<string>>();

  /** `valuesOf`: from that field alone. */
  constructor(field: keyof BeadRecord, valuesOf: (record: BeadRecord) => readonly string[]) {
    this.#field = field;
    this.#valuesOf = valuesOf;
  }

  /** `find`: the ids that have a value, to begin with. */
  ids(value: string, find: (value: string) => Iterable<string>): ReadonlySet<string> {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const found = new Set(find(value));
    this.#ids.set(value, found);
    return found;
  }

  has(record: BeadRecord, value: string): boolean {
    return !isDeleted(record) && this.#valuesOf(record).includes(value);
  }

  change(before: BeadRecord | undefined, after: BeadRecord | undefined): void {
    if (this.#ids.size === 0) return;
    const isSame = before?.[this.#field] === after?.[this.#field] && before?.status === after?.status;
    if (isSame && before !== undefined && after !== undefined) return;
    if (before !== undefined && !isDeleted(before))
      for (const value of this.#valuesOf(before)) this.#ids.get(value)?.delete(before.id);
    if (after !== undefined && !isDeleted(after))
      for (const value of this.#valuesOf(after)) this.#ids.get(value)?.add(after.id);
  }
}
