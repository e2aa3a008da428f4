/** Refs by name, with every commit that each was at: their reflogs. */
export class LoggedRefs extends Map<string, string> {
  readonly #logs = new Map<string, string[]>();

  override set(ref: string, id: string): this {
    const log = this.#logs.get(ref);
    if (log === undefined) this.#logs.set(ref, [id]);
    else if (log.at(-1) !== id) log.push(id);
    return super.set(ref, id);
  }

  /** Oldest first. */
  log(ref: string): readonly string[] {
    return this.#logs.get(ref) ?? [];
  }
}
