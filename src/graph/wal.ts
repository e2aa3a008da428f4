import { TownError, messageOf } from "../errors/town-error.ts";
import type { AppendFile, Files } from "../ports/files.ts";
import { formatVersion } from "./paths.ts";
import type { WalRecord } from "./wal-record.ts";
import { lastSeqOf, parseWalRecord } from "./wal-record.ts";

/** A line of a log that could not be read. */
export interface DamagedLine {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly text: string;
}

/** Up to where other files already contain a log. */
export interface Contained {
  /** Seq up to which the loaded commit contains records that are no wisps. */
  readonly branch: number;
  /** Seq up to which the loaded local state contains wisps. */
  readonly local: number;
}

export interface WalEntry {
  readonly record: WalRecord;
  /** A line before it in the same log was damaged, so the state it was made on may be missing. */
  readonly afterDamage: boolean;
}

interface Segment {
  readonly number: number;
  readonly path: string;
  lastSeq: number;
}

/**
 * One log: segments `NNNNNN.jsonl` of newline-led JSON records behind a header line, in a directory named by the log's id.
 *
 * Guarantees: when `append` resolves the records are on disk, in order, together or not at all as far as the caller is
 * told; a record torn by a crash spoils no other.
 * Assumptions: the caller holds the store's lock.
 */
export class Wal {
  readonly id: string;
  readonly #files: Files;
  readonly #directory: string;
  #segments: Segment[] = [];
  #file: AppendFile | undefined;
  #serial: Promise<unknown> = Promise.resolve();
  #goodBytes = 0;
  #broken: unknown;
  #onLost: () => void = () => undefined;

  private constructor(files: Files, directory: string, id: string) {
    this.#files = files;
    this.#directory = directory;
    this.id = id;
  }

  /**
   * Reads a log. Records that are `contained` elsewhere are passed over unread; who writes needs them all, for revs and
   * answers to requests. Throws TownError `FormatTooNew` when a later version of Town wrote it.
   */
  static async open(
    files: Files,
    directory: string,
    id: string,
    contained?: Contained,
  ): Promise<{ readonly wal: Wal; readonly entries: readonly WalEntry[]; readonly damaged: readonly DamagedLine[] }> {
    const wal = new Wal(files, `${directory}/${id}`, id);
    const entries: WalEntry[] = [];
    const damaged: DamagedLine[] = [];
    for (const name of await files.list(wal.#directory)) {
      const number = /^(\d{6,})\.jsonl$/.exec(name)?.[1];
      if (number === undefined) continue;
      const path = `${wal.#directory}/${name}`;
      const segment: Segment = { number: Number(number), path, lastSeq: 0 };
      wal.#goodBytes = (await files.stat(path))?.size ?? 0;
      const text = (await files.readText(path)) ?? "";
      readSegment(path, text, { entries, damaged }, contained);
      segment.lastSeq = entries.reduce((last, { record }) => Math.max(last, lastSeqOf(record)), 0);
      wal.#segments.push(segment);
    }
    wal.#segments.sort((a, b) => a.number - b.number);
    return { wal, entries, damaged };
  }

  /** Bytes in the segment that is written now. */
  get size(): number {
    return this.#goodBytes;
  }

  get lastSeq(): number {
    return this.#segments.at(-1)?.lastSeq ?? 0;
  }

  /**
   * Appends whole records (`lines`, without newline) with one write and one fdatasync. Throws AdapterError when the disk
   * refuses, TownError `LogShared` when another process wrote into the log, against the lock.
   */
  append(lines: readonly string[], lastSeq: number): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#broken !== undefined) throw this.#refusal();
      const text = `\n${lines.join("\n")}`;
      if (!(await this.#appendText(text))) {
        // Somebody removed the log under us: what was in it must reach the branch, and this goes into a new one.
        await this.#rotate();
        this.#onLost();
        if (!(await this.#appendText(text))) throw this.#vanished();
      }
      const segment = this.#segments.at(-1);
      if (segment !== undefined) segment.lastSeq = Math.max(segment.lastSeq, lastSeq);
    });
  }

  /** False when the file was no longer there afterwards. */
  async #appendText(text: string): Promise<boolean> {
    const file = this.#file ?? (await this.#openFile());
    const sizeBefore = file.size;
    // While the disk works; what somebody does after this look is seen by the next append.
    const looked = this.#files.stat(this.#path()).catch(() => undefined);
    try {
      await file.append(text);
    } catch (error) {
      await looked;
      await this.#abandonSegment(error);
      throw error;
    }
    this.#goodBytes = file.size;
    const stat = await looked;
    if (stat === undefined || stat.size < sizeBefore) return false;
    if (stat.size > file.size) this.#refuseShared();
    return true;
  }

  #refuseShared(): never {
    this.#broken = new TownError("LogShared", `Another process wrote into ${this.#path()}.`, {
      hint: "End the other process and start again: the changes of both are read, the first of two that collide counts.",
    });
    throw this.#broken;
  }

  /** Tells the store that records which were on disk are not any more. */
  set onLost(listener: () => void) {
    this.#onLost = listener;
  }

  #vanished(): TownError {
    return new TownError("LogVanishes", `Cannot write the log ${this.#directory}: it disappears while it is written.`, {
      hint: "Find out what removes files there, then start again.",
    });
  }

  #path(): string {
    return this.#segments.at(-1)?.path ?? this.#directory;
  }

  // A segment is never closed or removed under an append.
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#serial.then(work);
    this.#serial = run.catch(() => undefined);
    return run;
  }

  // What a failed write or sync left behind is unknown: it is cut off where that works, and never written behind.
  async #abandonSegment(cause: unknown): Promise<void> {
    const segment = this.#segments.at(-1);
    const good = this.#goodBytes;
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    if (segment === undefined) return;
    try {
      const stat = await this.#files.stat(segment.path);
      if (stat !== undefined && stat.size > good) await this.#files.truncate(segment.path, good);
      await this.#rotate();
    } catch {
      // Refused records may still be in the file, and a later start would take them for accepted.
      this.#broken = cause;
    }
  }

  #refusal(): TownError {
    return new TownError(
      "LogBroken",
      `Cannot write the log ${this.#directory}: an earlier write failed and could not be taken back: ${messageOf(this.#broken)}.`,
      {
        hint: "Free disk space or repair the disk, then start again: what was acknowledged is safe.",
        cause: this.#broken,
      },
    );
  }

  async #openFile(): Promise<AppendFile> {
    await this.#files.makeDirectory(this.#directory);
    if (this.#segments.length === 0) this.#segments.push({ number: 1, path: this.#segmentPath(1), lastSeq: 0 });
    const segment = this.#segments.at(-1) as Segment;
    const file = await this.#files.openAppend(segment.path, { mode: 0o600 });
    const known = this.#goodBytes;
    const found = file.size;
    this.#file = file;
    if (found === 0) {
      try {
        await file.append(JSON.stringify({ format: formatVersion, log: this.id }));
      } catch (error) {
        // Half a header may be there; the next attempt begins a new segment.
        await this.#rotate();
        throw error;
      }
    }
    this.#goodBytes = file.size;
    if (found > known) this.#refuseShared();
    if (found < known) this.#onLost();
    return file;
  }

  #segmentPath(number: number): string {
    return `${this.#directory}/${String(number).padStart(6, "0")}.jsonl`;
  }

  /** Later records go into a new segment. */
  rotate(): Promise<void> {
    return this.#inTurn(() => this.#rotate());
  }

  async #rotate(): Promise<void> {
    const last = this.#segments.at(-1);
    if (last === undefined) return;
    await this.#file?.close().catch(() => undefined);
    this.#file = undefined;
    this.#goodBytes = 0;
    this.#segments.push({ number: last.number + 1, path: this.#segmentPath(last.number + 1), lastSeq: last.lastSeq });
  }

  /** Removes closed segments that hold nothing later than `seq`. */
  drop(seq: number): Promise<void> {
    return this.#inTurn(async () => {
      for (const segment of this.#segments.slice(0, -1)) {
        if (segment.lastSeq > seq) continue;
        await this.#files.remove(segment.path);
        this.#segments = this.#segments.filter((other) => other !== segment);
      }
    });
  }

  close(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#file?.close();
      this.#file = undefined;
    });
  }
}

function readSegment(
  path: string,
  text: string,
  { entries, damaged }: { readonly entries: WalEntry[]; readonly damaged: DamagedLine[] },
  contained: Contained | undefined,
): void {
  const lines = text.split("\n");
  let afterDamage = false;
  lines.forEach((line, i) => {
    if (line === "" || (contained !== undefined && isContained(line, lines[i + 1], contained))) return;
    if (i === 0 && isHeader(path, line)) return;
    const record = parseWalRecord(line);
    if (record === undefined) {
      damaged.push({ file: path, line: i + 1, text: line });
      afterDamage = true;
    } else entries.push({ record, afterDamage });
  });
}

/** By their numbers alone: a record ends where the next one begins. Wisps and renewals are contained elsewhere. */
function isContained(line: string, next: string | undefined, { branch, local }: Contained): boolean {
  const [first, after] = [line, next].map((one) => Number(/^\{"s":(\d+),/.exec(one ?? "")?.[1] ?? Number.NaN));
  if (first === undefined || after === undefined || !(first < after)) return false;
  return after <= branch + 1 && (after <= local + 1 || !/"[el]":1/.test(line));
}

function isHeader(path: string, line: string): boolean {
  let header: { readonly format?: unknown };
  try {
    header = JSON.parse(line) as { readonly format?: unknown };
  } catch {
    return false;
  }
  if (typeof header.format === "number" && header.format > formatVersion) {
    throw new TownError(
      "FormatTooNew",
      `Cannot read ${path}: it has format ${header.format}, this version of Town knows ${formatVersion}.`,
      {
        hint: "Use the version of Town that wrote it, or a newer one.",
      },
    );
  }
  return typeof header.format === "number";
}
