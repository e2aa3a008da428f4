/** How often each record was changed. A record without a counter of its own has rev 1; one that was never there has 0. */
export class RevCounters {
  readonly #isHere: (id: string) => boolean;
  readonly #revs = new Map<string, number>();
  /** Those of a file that nobody has looked at yet. */
  #unread: (() => ReadonlyMap<string, number>) | undefined;

  constructor(isHere: (id: string) => boolean) {
    this.#isHere = isHere;
  }

  /** All counters there are. */
  get all(): ReadonlyMap<string, number> {
    this.#readAll();
    return this.#revs;
  }

  of(id: string): number {
    this.#readAll();
    return this.#known(id);
  }

  set(id: string, rev: number): void {
    this.#revs.set(id, rev);
  }

  /** Makes it at least `rev`, whether the record is here already or not. */
  raise(id: string, rev: number): void {
    if (rev > this.#known(id)) this.#revs.set(id, rev);
  }

  /** Raises many when the first is asked for. */
  raiseLater(read: () => ReadonlyMap<string, number>): void {
    this.#unread = read;
  }

  forget(id: string): void {
    this.#readAll();
    this.#revs.delete(id);
  }

  #known(id: string): number {
    return this.#revs.get(id) ?? (this.#isHere(id) ? 1 : 0);
  }

  #readAll(): void {
    const read = this.#unread;
    this.#unread = undefined;
    for (const [id, rev] of read?.() ?? []) this.raise(id, rev);
  }
}
