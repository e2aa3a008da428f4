import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { fileError } from "../ports/file-error.ts";
import type { ReadFile } from "../ports/files.ts";
import { codeOf } from "./error-code.ts";

/** Opens a file for reading in parts; throws as the system does. */
export function openReadFile(path: string): Promise<ReadFile> {
  const descriptor = openSync(path, "r");
  const { size } = fstatSync(descriptor);
  let isOpen = true;
  return Promise.resolve({
    size,
    bytes: (start, end) => {
      if (!isOpen) throw fileError("read", path, "EBADF");
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start));
      return bytes.subarray(0, fill(descriptor, bytes, start, path));
    },
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
      return Promise.resolve();
    },
  });
}

function fill(descriptor: number, bytes: Uint8Array, start: number, path: string): number {
  let filled = 0;
  try {
    while (filled < bytes.length) {
      const read = readSync(descriptor, bytes, filled, bytes.length - filled, start + filled);
      if (read === 0) break;
      filled += read;
    }
  } catch (error) {
    throw fileError("read", path, codeOf(error), error);
  }
  return filled;
}
