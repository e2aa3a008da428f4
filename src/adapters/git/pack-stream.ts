import { createHash } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";

export interface NewObject {
  readonly id: string;
  readonly type: "blob" | "tree" | "commit";
  readonly body: Uint8Array;
}

/** A pack with its index, as git reads them (https://git-scm.com/docs/gitformat-pack). */
export interface EncodedPack {
  /** `pack-<checksum>`. */
  readonly name: string;
  readonly pack: Uint8Array;
  readonly index: Uint8Array;
}

const typeCodes = { commit: 1, tree: 2, blob: 3 } as const;
const indexMagic = 0xff744f63;
type HashName = "sha1" | "sha256";

/** Levels of zlib: its fastest, and none. By number, since naming them would load it at each start. */
const compressed = { level: 1 };
/** The ids in a large tree do not compress, and trying costs more than all the rest; packing makes deltas of them later. */
const largeTree = 2_048;
const stored = { level: 0, memLevel: 1, windowBits: 9 };

/**
 * A version 2 pack of whole objects, each there once, with a version 2 index. Made here because starting git for it costs a
 * program of some hundred megabytes more than all of this.
 */
export function encodePack(objects: readonly NewObject[], hash: HashName): EncodedPack {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const parts: Uint8Array[] = [header];
  const entries: IndexEntry[] = [];
  let offset = header.length;
  for (const { id, type, body } of objects) {
    const head = entryHeader(typeCodes[type], body.length);
    const content = deflateSync(body, type === "tree" && body.length > largeTree ? stored : compressed);
    entries.push({ id, offset, crc: crc32(content, crc32(head)) });
    parts.push(head, content);
    offset += head.length + content.length;
  }
  const content = Buffer.concat(parts);
  const checksum = createHash(hash).update(content).digest();
  return {
    name: `pack-${checksum.toString("hex")}`,
    pack: Buffer.concat([content, checksum]),
    index: encodeIndex(entries, checksum, hash),
  };
}

/** Ids of the objects in a pack index of version 2; undefined when it is none. */
export function idsOfIndex(index: Buffer, hash: HashName): readonly string[] | undefined {
  if (index.length < 8 + 256 * 4 || index.readUInt32BE(0) !== indexMagic || index.readUInt32BE(4) !== 2)
    return undefined;
  const idBytes = hash === "sha1" ? 20 : 32;
  const count = index.readUInt32BE(8 + 255 * 4);
  const from = 8 + 256 * 4;
  return Array.from({ length: count }, (_, i) => index.toString("hex", from + i * idBytes, from + (i + 1) * idBytes));
}

/** Type and size, the size in little-endian groups of 4 and then 7 bits. */
function entryHeader(type: number, size: number): Uint8Array {
  const bytes: number[] = [];
  let rest = Math.floor(size / 16);
  bytes.push((rest > 0 ? 0x80 : 0) | (type << 4) | (size % 16));
  while (rest > 0) {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push((rest > 0 ? 0x80 : 0) | low);
  }
  return Uint8Array.from(bytes);
}

interface IndexEntry {
  readonly id: string;
  /** Below 2 GiB: whoever encodes cuts packs far earlier. */
  readonly offset: number;
  readonly crc: number;
}

function encodeIndex(entries: readonly IndexEntry[], packChecksum: Buffer, hash: HashName): Buffer {
  const sorted = [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
  const idBytes = packChecksum.length;
  const index = Buffer.alloc(8 + 256 * 4 + sorted.length * (idBytes + 8) + 2 * idBytes);
  index.writeUInt32BE(indexMagic, 0);
  index.writeUInt32BE(2, 4);
  const counts = new Uint32Array(256);
  for (const { id } of sorted) {
    const first = Number.parseInt(id.slice(0, 2), 16);
    counts[first] = (counts[first] ?? 0) + 1;
  }
  let at = 8;
  let sum = 0;
  for (const count of counts) {
    sum += count;
    at = index.writeUInt32BE(sum, at);
  }
  for (const { id } of sorted) at += index.write(id, at, "hex");
  for (const { crc } of sorted) at = index.writeUInt32BE(crc, at);
  for (const { offset } of sorted) at = index.writeUInt32BE(offset, at);
  at += packChecksum.copy(index, at);
  createHash(hash).update(index.subarray(0, at)).digest().copy(index, at);
  return index;
}
