/** Counted beside the bytes of each body: key, map entry and buffer. */
const overheadBytes = 200;
const defaultBytes = 24 * 1024 * 1024;

/** Bodies of trees by id. They never change, so the only question is how many are kept: the latest, up to some bytes. */
export class TreeCache {
  readonly #bodies = new Map<string, Uint8Array>();
  readonly #limit: number;
  #bytes = 0;

  constructor(limitBytes = defaultBytes) {
    this.#limit = limitBytes;
  }

  get(id: string): Uint8Array | undefined {
    const body = this.#bodies.get(id);
    if (body === undefined) return undefined;
    this.#bodies.delete(id);
    this.#bodies.set(id, body);
    return body;
  }

  keep(id: string, body: Uint8Array): Uint8Array {
    if (this.#bodies.has(id)) return body;
    this.#bodies.set(id, body);
    this.#bytes += body.length + overheadBytes;
    for (const [oldest, old] of this.#bodies) {
      if (this.#bytes <= this.#limit) break;
      this.#bodies.delete(oldest);
      this.#bytes -= old.length + overheadBytes;
    }
    return body;
  }
}
