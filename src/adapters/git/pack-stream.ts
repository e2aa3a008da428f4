import { createHash } from "node:crypto";
import { constants, deflateSync } from "node:zlib";

export interface NewObject {
  readonly id: string;
  readonly type: "blob" | "tree" | "commit";
  readonly body: Uint8Array;
}

const typeCodes = { commit: 1, tree: 2, blob: 3 } as const;

/** A version 2 pack of whole objects, as `git index-pack --stdin` reads it (https://git-scm.com/docs/gitformat-pack). */
export function encodePack(objects: readonly NewObject[], hash: "sha1" | "sha256"): Buffer {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const parts: Uint8Array[] = [header];
  for (const { type, body } of objects) {
    parts.push(entryHeader(typeCodes[type], body.length), deflateSync(body, { level: constants.Z_BEST_SPEED }));
  }
  const content = Buffer.concat(parts);
  return Buffer.concat([content, createHash(hash).update(content).digest()]);
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
