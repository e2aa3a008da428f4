/** Ids in code-unit order: sorted when first asked for, kept in order as they come and go. */
export class SortedIds {
  #ids: string[] | undefined;

  /** `all`: every id, in any order. */
  list(all: () => Iterable<string>): readonly string[] {
    this.#ids ??= [...all()].sort();
    return this.#ids;
  }

  /** Many came at once. */
  forget(): void {
    this.#ids = undefined;
  }

  add(id: string): void {
    this.#ids?.splice(insertionPoint(this.#ids, id), 0, id);
  }

  remove(id: string): void {
    this.#ids?.splice(insertionPoint(this.#ids, id), 1);
  }
}

function insertionPoint(sorted: readonly string[], id: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
