import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { RowTexts, TextPlace } from "../domain/work-graph/index/bead-table.ts";
import { textSum } from "../domain/work-graph/index/columns.ts";
import { TownError } from "../errors/town-error.ts";
import type { Files, ReadFile } from "../ports/files.ts";

const blockBytes = 65_536;
/** Written at a time, so that other work goes on in between. */
const chunkCharacters = 1_000_000;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Records as they lie in a file of the cache, a line each: read when somebody asks for one. What is written later comes behind
 * what is there, which never changes.
 */
export class CachedTexts implements RowTexts {
  readonly name: string;
  readonly #files: Files;
  readonly #directory: string;
  /** Where the text of a record lies that was read from here, or written. */
  readonly #places = new WeakMap<BeadRecord, TextPlace>();
  #file: ReadFile | undefined;
  #isDamaged = false;
  #block: Uint8Array = new Uint8Array();
  #blockStart = 0;

  constructor(files: Files, directory: string, name: string) {
    this.#files = files;
    this.#directory = directory;
    this.name = name;
  }

  /** Bytes that are there; 0: there is no such file. Called again after something was added. */
  async open(): Promise<number> {
    const former = this.#file;
    this.#file = await this.#files.openRead(`${this.#directory}/${this.name}`);
    await former?.close();
    return this.size;
  }

  /** Something that was asked for could not be read. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  get size(): number {
    return this.#file?.size ?? 0;
  }

  /** Throws TownError `CacheDamaged`. */
  text(place: TextPlace, id: string): string {
    const text = decoder.decode(this.#bytes(place.start, place.start + place.length));
    if (textSum(text) === place.sum) return text;
    throw this.#damaged(id);
  }

  /** Throws TownError `CacheDamaged`. */
  record(place: TextPlace, id: string): BeadRecord {
    const record = JSON.parse(this.text(place, id)) as BeadRecord;
    if (record.id !== id) throw this.#damaged(id);
    this.#places.set(record, place);
    return record;
  }

  /** Where the text of a record lies; undefined: it was neither read from here nor written. */
  placeOf(record: BeadRecord): TextPlace | undefined {
    return this.#places.get(record);
  }

  /** Adds texts behind what is there and answers where each lies. On disk when it resolves. */
  async append(texts: Iterable<string>): Promise<readonly TextPlace[]> {
    const file = await this.#files.openAppend(`${this.#directory}/${this.name}`, { mode: 0o600 });
    const places: TextPlace[] = [];
    try {
      let start = file.size;
      let chunk = "";
      for (const text of texts) {
        const length = encoder.encode(text).length;
        places.push({ start, length, sum: textSum(text) });
        start += length + 1;
        chunk += `${text}\n`;
        if (chunk.length < chunkCharacters) continue;
        await file.append(chunk, { durable: false });
        chunk = "";
      }
      await file.append(chunk);
    } finally {
      await file.close();
    }
    return places;
  }

  /** Takes note of where the text of a record lies. */
  remember(record: BeadRecord, place: TextPlace): void {
    this.#places.set(record, place);
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  // Who reads one mostly reads its neighbours.
  #bytes(start: number, end: number): Uint8Array {
    if (start < this.#blockStart || end > this.#blockStart + this.#block.length) {
      this.#block =
        this.#file?.bytes(start, Math.max(end, Math.min(this.size, start + blockBytes))) ?? new Uint8Array();
      this.#blockStart = start;
    }
    return this.#block.subarray(start - this.#blockStart, end - this.#blockStart);
  }

  #damaged(id: string): TownError {
    this.#isDamaged = true;
    return new TownError(
      "CacheDamaged",
      `Cannot read ${id} from the cache of the work graph in ${this.#directory}: it is damaged.`,
      {
        hint: `Nothing is lost: it is made again when the store is next opened, or remove ${this.#directory}.`,
      },
    );
  }
}
