import type { Readable } from "node:stream";

const LIMIT = 64 * 1024;

/** Keeps the last 64 KiB that a stream brings, so that an endless program costs no more memory than that. */
export class OutputTail {
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(stream: Readable | null) {
    stream?.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size > 4 * LIMIT) this.#trim();
    });
    // A pipe that breaks ends the output, nothing more.
    stream?.on("error", () => undefined);
  }

  /** Decoded; when cut, from the first whole character on. */
  text(): string {
    const cut = this.#size > LIMIT;
    this.#trim();
    const bytes = Buffer.concat(this.#chunks);
    let start = 0;
    while (cut && start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return bytes.subarray(start).toString("utf8");
  }

  #trim(): void {
    if (this.#size <= LIMIT) return;
    this.#chunks = [Buffer.concat(this.#chunks).subarray(-LIMIT)];
    this.#size = LIMIT;
  }
}
