import { Buffer } from "node:buffer";

const CHUNK_BYTES = 256 * 1024;

/**
 * The body of one watch: first what there is (made batch by batch, as fast as the client reads), then live lines. What a
 * client has not read yet waits here up to `limitBytes`; one that falls further behind is cut off with `tooSlow` as the
 * last line, so that it lists anew.
 */
export class WatchStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #initial: Iterator<Uint8Array>;
  readonly #limitBytes: number;
  readonly #tooSlow: Uint8Array;
  readonly #closed: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #wake: (() => void) | undefined;
  #ending = false;
  #ended = false;

  /** `closed` is called once, when the stream is over for whatever reason. */
  constructor(options: {
    readonly initial: Iterator<Uint8Array>;
    readonly limitBytes: number;
    readonly tooSlow: Uint8Array;
    readonly closed: () => void;
  }) {
    this.#initial = options.initial;
    this.#limitBytes = options.limitBytes;
    this.#tooSlow = options.tooSlow;
    this.#closed = options.closed;
    this.body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#over() },
      { highWaterMark: 0 },
    );
  }

  get over(): boolean {
    return this.#ending || this.#ended;
  }

  push(line: Uint8Array): void {
    if (this.over) return;
    this.#waiting.push(line);
    this.#waitingBytes += line.byteLength;
    if (this.#waitingBytes > this.#limitBytes) {
      this.#waiting = [this.#tooSlow];
      this.#waitingBytes = this.#tooSlow.byteLength;
      this.#ending = true;
    }
    this.#wake?.();
  }

  /** Ends after what waits was read. */
  end(): void {
    this.#ending = true;
    this.#wake?.();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const first = this.#initial.next();
    if (first.done !== true) {
      controller.enqueue(first.value);
      return;
    }
    if (this.#waiting.length === 0 && !this.#ending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#waiting.length > 0) controller.enqueue(this.#take());
    else if (!this.#ended) {
      controller.close();
      this.#over();
    }
  }

  #take(): Uint8Array {
    let bytes = 0;
    let count = 0;
    for (const line of this.#waiting) {
      if (count > 0 && bytes + line.byteLength > CHUNK_BYTES) break;
      bytes += line.byteLength;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    const lines = this.#waiting.splice(0, count);
    return lines.length === 1 ? (lines[0] as Uint8Array) : Buffer.concat(lines);
  }

  #over(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#ending = true;
    this.#waiting = [];
    this.#wake?.();
    this.#closed();
  }
}
