import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { TownError } from "../errors/town-error.ts";
import type { ReadFile } from "../ports/files.ts";

const blockBytes = 65_536;
const decoder = new TextDecoder();

/** Records as they lie one after the other in a file of the cache; read when somebody asks for one. */
export class CachedTexts {
  readonly #file: ReadFile;
  readonly #lengths: string;
  readonly #directory: string;
  #starts: Float64Array | undefined;
  #block: Uint8Array = new Uint8Array();
  #blockStart = 0;

  /** `lengths`: in bytes, a JSON array; `directory`: of the cache, for messages. */
  constructor(file: ReadFile, lengths: string, directory: string) {
    this.#file = file;
    this.#lengths = lengths;
    this.#directory = directory;
  }

  /** The text of a row as it was written. */
  text(row: number, id: string): string {
    const starts = (this.#starts ??= this.#parseLengths(id));
    const [start = 0, end = 0] = [starts[row], starts[row + 1]];
    const text = decoder.decode(this.#bytes(start, end));
    if (text.startsWith("{") && text.endsWith("}")) return text;
    throw this.#damaged(id);
  }

  /** Throws TownError `CacheDamaged`. */
  record(row: number, id: string): BeadRecord {
    try {
      const record = JSON.parse(this.text(row, id)) as BeadRecord;
      if (record.id === id) return record;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    throw this.#damaged(id);
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #parseLengths(id: string): Float64Array {
    let lengths: unknown;
    try {
      lengths = JSON.parse(this.#lengths);
    } catch {
      throw this.#damaged(id);
    }
    const starts = new Float64Array((lengths as readonly number[]).length + 1);
    (lengths as readonly number[]).forEach((length, row) => {
      starts[row + 1] = (starts[row] ?? 0) + length;
    });
    return starts;
  }

  // Who reads one mostly reads its neighbours.
  #bytes(start: number, end: number): Uint8Array {
    if (start < this.#blockStart || end > this.#blockStart + this.#block.length) {
      this.#block = this.#file.bytes(start, Math.max(end, Math.min(this.#file.size, start + blockBytes)));
      this.#blockStart = start;
    }
    return this.#block.subarray(start - this.#blockStart, end - this.#blockStart);
  }

  #damaged(id: string): TownError {
    return new TownError(
      "CacheDamaged",
      `Cannot read ${id} from the cache of the work graph in ${this.#directory}: it is damaged.`,
      {
        hint: `Nothing is lost: remove ${this.#directory}, and it is made again.`,
      },
    );
  }
}
