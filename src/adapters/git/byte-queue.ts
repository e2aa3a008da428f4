/** Bytes that arrive in pieces and are taken out as lines and blocks, without copying what waits. */
export class ByteQueue {
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The next line without its newline, or undefined until one is complete. */
  takeLine(): string | undefined {
    let before = 0;
    for (const chunk of this.#chunks) {
      const at = chunk.indexOf(10);
      if (at >= 0) {
        const line = this.take(before + at + 1);
        return line?.toString("utf8", 0, line.length - 1);
      }
      before += chunk.length;
    }
    return undefined;
  }

  /** The next `length` bytes, or undefined until there are as many. */
  take(length: number): Buffer | undefined {
    if (this.#size < length) return undefined;
    this.#size -= length;
    const parts: Buffer[] = [];
    let missing = length;
    let used = 0;
    while (missing > 0) {
      const chunk = this.#chunks[used];
      if (chunk === undefined) break;
      if (chunk.length > missing) {
        parts.push(chunk.subarray(0, missing));
        this.#chunks[used] = chunk.subarray(missing);
        missing = 0;
      } else {
        parts.push(chunk);
        missing -= chunk.length;
        used += 1;
      }
    }
    this.#chunks.splice(0, used);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }
}
