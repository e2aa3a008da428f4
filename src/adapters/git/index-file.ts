import { createHash } from "node:crypto";

/** An entry of git's index. `stat` is git's cache of what `lstat` said: 40 bytes, ctime to size. */
export interface IndexFileEntry {
  readonly path: Buffer;
  readonly stat: Buffer;
  readonly id: string;
  /** 0, or the side of a conflict. */
  readonly stage: number;
  /** Bits beside stage and name length: assume-valid in the high byte; the second word of version 3. */
  readonly assumeValid: boolean;
  readonly extended: number;
}

const STAT_BYTES = 40;

/**
 * Reads git's index, versions 2 to 4 (https://git-scm.com/docs/index-format). Undefined for one that needs more than its
 * entries to be understood: split index, sparse directories, or a later version.
 */
export function readIndex(bytes: Buffer, idBytes: number): readonly IndexFileEntry[] | undefined {
  if (bytes.length < 12 + idBytes || bytes.toString("latin1", 0, 4) !== "DIRC") return undefined;
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) return undefined;
  const entries: IndexFileEntry[] = [];
  let at = 12;
  let former: Buffer = Buffer.alloc(0);
  for (let count = bytes.readUInt32BE(8); count > 0; count -= 1) {
    const start = at;
    const flags = bytes.readUInt16BE(start + STAT_BYTES + idBytes);
    const isExtended = (flags & 0x4000) !== 0;
    at = start + STAT_BYTES + idBytes + 2 + (isExtended ? 2 : 0);
    let path: Buffer;
    if (version === 4) {
      const prefix = readOffset(bytes, at);
      const end = bytes.indexOf(0, prefix.end);
      path = Buffer.concat([former.subarray(0, former.length - prefix.value), bytes.subarray(prefix.end, end)]);
      at = end + 1;
    } else {
      const end = bytes.indexOf(0, at);
      path = bytes.subarray(at, end);
      at = start + paddedLength(end - start);
    }
    former = path;
    entries.push({
      path,
      stat: bytes.subarray(start, start + STAT_BYTES),
      id: bytes.toString("hex", start + STAT_BYTES, start + STAT_BYTES + idBytes),
      stage: (flags >> 12) & 3,
      assumeValid: (flags & 0x8000) !== 0,
      extended: isExtended ? bytes.readUInt16BE(start + STAT_BYTES + idBytes + 2) : 0,
    });
  }
  return needsMore(bytes, at, idBytes) ? undefined : entries;
}

/** Extensions whose name begins with a small letter must be understood by whoever reads the index. */
function needsMore(bytes: Buffer, from: number, idBytes: number): boolean {
  for (let at = from; at + 8 <= bytes.length - idBytes; at += 8 + bytes.readUInt32BE(at + 4)) {
    if (/^[a-z]/.test(bytes.toString("latin1", at, at + 4))) return true;
  }
  return false;
}

/** The index file of entries: version 2, or 3 where an entry has extended flags. Caches that git keeps in it are left out. */
export function writeIndex(entries: readonly IndexFileEntry[], hash: "sha1" | "sha256"): Buffer {
  const version = entries.some((entry) => entry.extended !== 0) ? 3 : 2;
  const header = Buffer.alloc(12);
  header.write("DIRC", 0, "latin1");
  header.writeUInt32BE(version, 4);
  header.writeUInt32BE(entries.length, 8);
  const sorted = [...entries].sort((a, b) => Buffer.compare(a.path, b.path) || a.stage - b.stage);
  const body = Buffer.concat([header, ...sorted.map(entryBytes)]);
  return Buffer.concat([body, createHash(hash).update(body).digest()]);
}

function entryBytes(entry: IndexFileEntry): Buffer {
  const idBytes = entry.id.length / 2;
  const fixed = STAT_BYTES + idBytes + 2 + (entry.extended === 0 ? 0 : 2);
  const bytes = Buffer.alloc(paddedLength(fixed + entry.path.length));
  entry.stat.copy(bytes, 0);
  bytes.write(entry.id, STAT_BYTES, "hex");
  const flags =
    (entry.assumeValid ? 0x8000 : 0) |
    (entry.extended === 0 ? 0 : 0x4000) |
    (entry.stage << 12) |
    Math.min(entry.path.length, 0xfff);
  bytes.writeUInt16BE(flags, STAT_BYTES + idBytes);
  if (entry.extended !== 0) bytes.writeUInt16BE(entry.extended, STAT_BYTES + idBytes + 2);
  entry.path.copy(bytes, fixed);
  return bytes;
}

/** Entries end with 1 to 8 NULs, so that each has a multiple of 8 bytes. */
function paddedLength(length: number): number {
  return (length + 8) & ~7;
}

/** The variable-length number of git's pack format for offsets. */
function readOffset(bytes: Buffer, from: number): { readonly value: number; readonly end: number } {
  let at = from;
  let byte = bytes.readUInt8(at);
  let value = byte & 0x7f;
  while ((byte & 0x80) !== 0) {
    at += 1;
    byte = bytes.readUInt8(at);
    value = ((value + 1) << 7) | (byte & 0x7f);
  }
  return { value, end: at + 1 };
}

/** What git caches of `lstat`. `mode` is git's own (`100644`), not that of the file system. */
export interface StatFacts {
  readonly ctimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
  readonly size: bigint;
}

export function statBytes(facts: StatFacts, mode: string): Buffer {
  const bytes = Buffer.alloc(STAT_BYTES);
  const second = 1_000_000_000n;
  const words = [
    facts.ctimeNs / second,
    facts.ctimeNs % second,
    facts.mtimeNs / second,
    facts.mtimeNs % second,
    facts.dev,
    facts.ino,
    BigInt(Number.parseInt(mode, 8)),
    facts.uid,
    facts.gid,
    facts.size,
  ];
  for (const [index, word] of words.entries()) bytes.writeUInt32BE(Number(BigInt.asUintN(32, word)), index * 4);
  return bytes;
}

export function modeOf(entry: IndexFileEntry): string {
  return entry.stat.readUInt32BE(24).toString(8).padStart(6, "0");
}

/** True when a file has not changed since git looked: same times, inode and size. */
export function isFresh(entry: IndexFileEntry, facts: StatFacts): boolean {
  const now = statBytes(facts, modeOf(entry));
  // Seconds and size always; what some file systems do not keep stable (device, nanoseconds written as 0) is left out.
  const same = (from: number, to: number): boolean => now.subarray(from, to).equals(entry.stat.subarray(from, to));
  return same(0, 16) && same(20, 24) && same(36, 40);
}
