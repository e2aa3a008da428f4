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

/** Told of a record whose text is damaged; `isLost`: it is nowhere else either. */
export type DamageListener = (id: string, isLost: boolean) => void;

/** The record with an id from elsewhere; undefined: nowhere is one. */
export type StandIn = (id: string) => BeadRecord | undefined;

/**
 * Records as they lie in a file of the cache, a line each: read when somebody asks for one. What is written later comes behind
 * what is there, which never changes. A text that is damaged is looked for again each time, and elsewhere.
 */
export class CachedTexts implements RowTexts {
  readonly name: string;
  readonly #files: Files;
  readonly #directory: string;
  /** Where the text of a record lies that was read from here, or written. */
  readonly #places = new WeakMap<BeadRecord, TextPlace>();
  readonly #standIn: StandIn;
  #file: ReadFile | undefined;
  #isDamaged = false;
  #isLost = false;
  #onDamaged: DamageListener = () => undefined;
  #block: Uint8Array = new Uint8Array();
  #blockStart = 0;

  constructor(files: Files, place: { readonly directory: string; readonly name: string }, standIn: StandIn) {
    this.#files = files;
    this.#directory = place.directory;
    this.name = place.name;
    this.#standIn = standIn;
  }

  /** Bytes that are there; 0: there is no such file. Called again after something was added. */
  async open(): Promise<number> {
    const former = this.#file;
    this.#file = await this.#files.openRead(`${this.#directory}/${this.name}`);
    await former?.close();
    return this.size;
  }

  /** Something that was asked for could not be read here. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Something that was asked for could be read neither here nor elsewhere. */
  get isLost(): boolean {
    return this.#isLost;
  }

  set onDamaged(listener: DamageListener) {
    this.#onDamaged = listener;
  }

  get size(): number {
    return this.#file?.size ?? 0;
  }

  /** Throws TownError `CacheDamaged`. */
  text(place: TextPlace, id: string): string {
    return this.#read(place) ?? JSON.stringify(this.#elsewhere(place, id));
  }

  /** Throws TownError `CacheDamaged`. */
  record(place: TextPlace, id: string): BeadRecord {
    const text = this.#read(place);
    const record = text === undefined ? undefined : (JSON.parse(text) as BeadRecord);
    if (record?.id !== id) return this.#elsewhere(place, id);
    this.#places.set(record, place);
    return record;
  }

  // What was read for its neighbours may be older than what is there now.
  #read({ start, length, sum }: TextPlace): string | undefined {
    for (const isAgain of [false, true]) {
      if (isAgain) this.#block = new Uint8Array();
      const text = decoder.decode(this.#bytes(start, start + length));
      if (textSum(text) === sum) return text;
    }
    return undefined;
  }

  #elsewhere(place: TextPlace, id: string): BeadRecord {
    this.#isDamaged = true;
    const record = this.#standIn(id);
    this.#onDamaged(id, record === undefined);
    if (record !== undefined) return record;
    this.#isLost = true;
    throw this.#damaged(place, id);
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

  #damaged({ start, length }: TextPlace, id: string): TownError {
    const file = `${this.#directory}/${this.name}`;
    return new TownError(
      "CacheDamaged",
      `Cannot read ${id}: its text in the cache (${file}, bytes ${start} to ${start + length}) is damaged, and git has lost its file on the work branch.`,
      {
        hint: "`town bd doctor` brings back the latest version of it that is left in the log or an earlier commit.",
      },
    );
  }
}
