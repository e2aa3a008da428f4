import { type FileHandle, open } from "node:fs/promises";
import { writeSync } from "node:fs";
import { dirname } from "node:path";
import { fileError } from "../ports/file-error.ts";
import type { AppendFile } from "../ports/files.ts";
import { codeOf } from "./error-code.ts";
import { syncDirectory } from "./temporary-file.ts";

interface Waiting {
  readonly bytes: Buffer;
  readonly durable: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export async function openAppendFile(path: string, mode: number | undefined): Promise<AppendFile> {
  const handle = await open(path, "a", mode);
  try {
    const { size } = await handle.stat();
    if (size === 0) {
      if (mode !== undefined) await handle.chmod(mode);
      await syncDirectory(dirname(path));
    }
    return new NodeAppendFile(path, handle, size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

const largestSyncWrite = 64 * 1024;

/**
 * Appends with group commit: whatever waits while one write is under way goes out together in the next, with one sync.
 * After a failed sync the kernel may have dropped the pages and call the next sync a success
 * (https://wiki.postgresql.org/wiki/Fsync_Errors), so the handle stays broken.
 */
class NodeAppendFile implements AppendFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #size: number;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #broken: Error | undefined;
  #closed: Promise<void> | undefined;

  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  append(text: string, options?: { readonly durable?: boolean }): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(fileError("append to", this.#path, "EBADF"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: Buffer.from(text), durable: options?.durable ?? true, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await this.#flushing;
      await this.#handle.close();
    })();
    return this.#closed;
  }

  /** Never rejects: each waiting append gets its own outcome. */
  async #flush(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(
          Buffer.concat(batch.map((entry) => entry.bytes)),
          batch.some((entry) => entry.durable),
        );
        for (const entry of batch) entry.resolve();
      } catch (error) {
        for (const entry of batch) entry.reject(error as Error);
      }
    }
    this.#flushing = undefined;
  }

  async #write(bytes: Buffer, durable: boolean): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      await this.#put(bytes);
    } catch (error) {
      await this.#cutBack(bytes.length);
      throw fileError("append to", this.#path, codeOf(error), error);
    }
    if (durable) await this.#sync();
    this.#size += bytes.length;
  }

  // The page cache takes a small write in microseconds: less than handing it to a thread and waiting for the answer.
  async #put(bytes: Buffer): Promise<void> {
    let written = 0;
    while (bytes.length <= largestSyncWrite && written < bytes.length)
      written += writeSync(this.#handle.fd, bytes, written);
    if (written < bytes.length) await this.#handle.appendFile(bytes);
  }

  async #sync(): Promise<void> {
    try {
      await this.#handle.datasync();
    } catch (error) {
      this.#broken = fileError("sync", this.#path, codeOf(error), error);
      throw this.#broken;
    }
  }

  /** Takes back the part of a failed write that reached the file, unless someone else has appended behind it. */
  async #cutBack(attempted: number): Promise<void> {
    try {
      const { size } = await this.#handle.stat();
      if (size > this.#size && size <= this.#size + attempted) await this.#handle.truncate(this.#size);
    } catch (error) {
      this.#broken = fileError("repair", this.#path, codeOf(error), error);
    }
  }
}
