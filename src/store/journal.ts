import type { Clock } from "../ports/clock.ts";
import type { AppendFile, Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import { headerLine, line, parseStoreFile, snapshotText, type StoreRecord } from "./journal-format.ts";

const SNAPSHOT = "store-snapshot.jsonl";
const JOURNAL = /^store-journal-(\d+)\.jsonl$/;
const RETRY_AFTER_MS = 5_000;

export interface JournalOptions {
  readonly files: Files;
  /** Absolute; created with mode 0700. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The whole state now, for a snapshot. */
  readonly state: () => readonly StoreRecord[];
  /** A journal beyond this many bytes is folded into a snapshot. Default 8 MiB. */
  readonly compactAboveBytes?: number;
}

interface Batch {
  lines: string[];
  durable: boolean;
  readonly done: Promise<void>;
  readonly finish: () => void;
}

/**
 * The store's memory across restarts: a snapshot and the journals after it, all of them lines of JSON.
 *
 * Guarantees: `append` resolves when the record was handed to the disk (with `durable`: synced), together with all
 * others that waited (group commit). A failing disk never stops the store: the journal logs, drops what it cannot
 * write, and writes a whole snapshot once the disk answers again, at most every 5 s.
 * Assumptions: one process; what is lost here can be computed again from git and the world.
 */
export class Journal {
  readonly #options: JournalOptions;
  #file: AppendFile | undefined;
  #segment = 0;
  #batch: Batch | undefined;
  #running: Promise<void> | undefined;
  #broken = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** False while records cannot be written. */
  get healthy(): boolean {
    return !this.#broken;
  }

  /** Reads what former runs left, in order of writing. Damaged lines are kept beside the journal and reported. */
  async load(): Promise<readonly StoreRecord[]> {
    const { files, directory } = this.#options;
    await files.makeDirectory(directory, { mode: 0o700 });
    const snapshot = await this.#readSnapshot();
    const records: StoreRecord[] = [...(snapshot?.records ?? [])];
    for (const segment of await this.#segments()) {
      this.#segment = Math.max(this.#segment, segment);
      if (segment >= (snapshot?.segment ?? 0)) records.push(...(await this.#readJournal(segment)));
    }
    return records;
  }

  /** Folds everything into a fresh snapshot and begins a new journal. Called once after `load`; throws AdapterError. */
  async begin(): Promise<void> {
    await this.#rotate();
  }

  /** Default: not synced, which a crash of the process survives but a power loss may not. */
  append(record: StoreRecord, options: { readonly durable?: boolean } = {}): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const batch = (this.#batch ??= newBatch());
    batch.lines.push(line(record));
    batch.durable ||= options.durable === true;
    this.#running ??= this.#run();
    return batch.done;
  }

  async close(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    this.#closed = true;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    try {
      for (let batch = this.#batch; batch !== undefined; batch = this.#batch) {
        this.#batch = undefined;
        await this.#write(batch);
        batch.finish();
      }
    } finally {
      // In the same turn as the last look at the batch: what is appended from now on starts a run of its own.
      this.#running = undefined;
    }
  }

  async #write(batch: Batch): Promise<void> {
    const limit = this.#options.compactAboveBytes ?? 8 * 1024 * 1024;
    try {
      if (this.#broken) return await this.#retry();
      await this.#file?.append(batch.lines.join(""), { durable: batch.durable });
      if ((this.#file?.size ?? 0) > limit) await this.#rotate();
    } catch (error) {
      if (!this.#broken)
        this.#options.log.error(
          { err: error, directory: this.#options.directory },
          "journal cannot be written: state is kept in memory only",
        );
      this.#broken = true;
    }
  }

  /** Everything in memory goes to a new snapshot, so whatever was dropped meanwhile is there again. */
  async #retry(): Promise<void> {
    const now = this.#options.clock.monotonicMs();
    if (now - this.#triedAt < RETRY_AFTER_MS) return;
    this.#triedAt = now;
    await this.#rotate();
    this.#broken = false;
    this.#options.log.info({ directory: this.#options.directory }, "journal can be written again");
  }

  /** New journal first, then the snapshot that starts at it: a crash between the two replays both journals. */
  async #rotate(): Promise<void> {
    const { files } = this.#options;
    const next = this.#segment + 1;
    const path = this.#path(`store-journal-${next}.jsonl`);
    await files.remove(path);
    const file = await files.openAppend(path, { mode: 0o600 });
    try {
      await file.append(headerLine("town-store-journal", next), { durable: true });
      const text = snapshotText(next, this.#options.state());
      await files.writeAtomic(this.#path(SNAPSHOT), text, { mode: 0o600 });
    } catch (error) {
      await file.close();
      throw error;
    }
    const former = this.#file;
    this.#file = file;
    this.#segment = next;
    await former?.close();
    for (const segment of await this.#segments()) {
      if (segment < next) await files.remove(this.#path(`store-journal-${segment}.jsonl`));
    }
  }

  async #readSnapshot(): Promise<{ readonly segment: number; readonly records: readonly StoreRecord[] } | undefined> {
    const { files, log } = this.#options;
    const path = this.#path(SNAPSHOT);
    const text = await files.readText(path);
    if (text === undefined) return undefined;
    const file = parseStoreFile("town-store-snapshot", path, text);
    if (file !== undefined && file.damaged.length === 0) return file;
    const aside = `${path}.damaged`;
    await files.rename(path, aside);
    log.error({ path, aside }, "state snapshot is damaged and was set aside");
    return undefined;
  }

  async #readJournal(segment: number): Promise<readonly StoreRecord[]> {
    const { files, log } = this.#options;
    const path = this.#path(`store-journal-${segment}.jsonl`);
    const text = (await files.readText(path)) ?? "";
    const file = parseStoreFile("town-store-journal", path, text);
    if (file !== undefined && file.damaged.length === 0) return file.records;
    if (text === "") return [];
    const aside = `${path}.damaged`;
    await files.writeAtomic(aside, file === undefined ? text : file.damaged.join("\n"), { mode: 0o600 });
    log.error({ path, aside, lines: file?.damaged.length ?? "all" }, "journal has damaged lines, which were set aside");
    return file?.records ?? [];
  }

  async #segments(): Promise<readonly number[]> {
    const names = await this.#options.files.list(this.#options.directory);
    return names
      .flatMap((name) => JOURNAL.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  #path(name: string): string {
    return `${this.#options.directory}/${name}`;
  }
}

function newBatch(): Batch {
  let finish = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return { lines: [], durable: false, done, finish };
}
