import { closeSync, fstatSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that would grow beyond this is moved aside. Default 10 MiB. */
  readonly maxBytes?: number;
  /** Files moved aside that are kept, as `<path>.1` (the youngest) and on. Default 3. */
  readonly keep?: number;
}

const DEFAULT_MAX_BYTES = 10 * 1024 * 1024;
const DEFAULT_KEEP = 3;
/** A file that somebody else moved away is noticed within this many lines. */
const LOOK_EVERY_LINES = 200;

/**
 * A log file of bounded size. Lines are written at once, so that the last one before a crash is there. A disk that is
 * full or gone loses lines, never the process; a line tells how many once writing works again.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #descriptor: number | undefined;
  #size = 0;
  #lines = 0;
  #lost = 0;

  constructor(options: RotatingFileOptions) {
    this.#path = options.path;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#keep = options.keep ?? DEFAULT_KEEP;
  }

  /** Writes one line that ends with a newline. Never throws. */
  write(line: string): void {
    try {
      const lost =
        this.#lost === 0 ? "" : `${JSON.stringify({ level: "warn", msg: "log lines were lost", lines: this.#lost })}\n`;
      this.#put(Buffer.from(`${lost}${line}`));
      this.#lost = 0;
    } catch {
      this.#lost += 1;
      this.close();
    }
  }

  /** The file is opened anew at the next line. */
  close(): void {
    if (this.#descriptor === undefined) return;
    try {
      closeSync(this.#descriptor);
    } catch {
      // Closing a file on a failed disk may fail; there is nothing left to save.
    }
    this.#descriptor = undefined;
  }

  #put(bytes: Buffer): void {
    this.#lines += 1;
    if (this.#lines % LOOK_EVERY_LINES === 0 && this.#movedAway()) this.close();
    this.#open();
    if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) {
      this.#rotate();
      this.#open();
    }
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor ?? -1, bytes, written);
    this.#size += bytes.length;
  }

  #open(): void {
    if (this.#descriptor !== undefined) return;
    this.#descriptor = openSync(this.#path, "a", 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  #rotate(): void {
    this.close();
    const named = (age: number): string => (age === 0 ? this.#path : `${this.#path}.${age}`);
    rmSync(named(this.#keep), { force: true });
    for (let age = this.#keep - 1; age >= 0; age -= 1) {
      if (statSync(named(age), { throwIfNoEntry: false }) !== undefined) renameSync(named(age), named(age + 1));
    }
  }

  #movedAway(): boolean {
    if (this.#descriptor === undefined) return false;
    return statSync(this.#path, { throwIfNoEntry: false })?.ino !== fstatSync(this.#descriptor).ino;
  }
}
