/** Counted beside the bytes of each body: key, map entry, and the two objects and the block behind an array of bytes (measured). */
const overheadBytes = 600;
/** The trees that some thousand commits of a work graph wrote and read, as far as they are looked at again. */
const defaultBytes = 24 * 1024 * 1024;

/** Bodies of a repository's trees by id. They never change, so the only question is how many are kept. */
export interface TreeCache {
  get(id: string): Uint8Array | undefined;
  keep(id: string, body: Uint8Array): Uint8Array;
}

/**
 * The trees of all repositories of a process that were used last, up to some bytes together: a town has a store for each
 * rig. What one repository has says nothing of another, which may have lost it.
 */
export class TreeCaches {
  readonly #bodies = new Map<string, Uint8Array>();
  readonly #limit: number;
  #bytes = 0;
  #repositories = 0;

  constructor(limitBytes = defaultBytes) {
    this.#limit = limitBytes;
  }

  /** Bytes in use, as far as they are known. */
  get bytes(): number {
    return this.#bytes;
  }

  ofRepository(): TreeCache {
    const prefix = `${++this.#repositories} `;
    return {
      get: (id) => this.#get(prefix + id),
      keep: (id, body) => this.#keep(prefix + id, body),
    };
  }

  #get(key: string): Uint8Array | undefined {
    const body = this.#bodies.get(key);
    if (body === undefined) return undefined;
    this.#bodies.delete(key);
    this.#bodies.set(key, body);
    return body;
  }

  #keep(key: string, body: Uint8Array): Uint8Array {
    if (this.#bodies.has(key)) return body;
    this.#bodies.set(key, body);
    this.#bytes += body.length + overheadBytes;
    for (const [oldest, old] of this.#bodies) {
      if (this.#bytes <= this.#limit) break;
      this.#bodies.delete(oldest);
      this.#bytes -= old.length + overheadBytes;
    }
    return body;
  }
}
