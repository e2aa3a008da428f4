import { Buffer } from "node:buffer";

/** JSON that is written already, in UTF-8; answers carry it as it is. */
export class JsonBytes {
  readonly bytes: Uint8Array;

  constructor(parts: readonly Uint8Array[]) {
    this.bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }
}

const written = new WeakMap<object, Uint8Array>();

/**
 * The JSON of a frozen value, written once: lists, watches and rows that show the same version of an object share it.
 * Costs its bytes for as long as the object is in use.
 */
export function bytesOfFrozen(value: object): Uint8Array {
  const known = written.get(value);
  if (known !== undefined) return known;
  const bytes = Buffer.from(JSON.stringify(value));
  if (Object.isFrozen(value)) written.set(value, bytes);
  return bytes;
}

/** JSON of any value, or the bytes it carries. */
export function jsonBytesOf(value: unknown): Uint8Array {
  return value instanceof JsonBytes ? value.bytes : Buffer.from(JSON.stringify(value));
}

/** `{…head, "name": [items]}` with items that are written already, each of one or more parts. */
export function withList(head: object, name: string, items: readonly (readonly Uint8Array[])[]): JsonBytes {
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${name}":[`)];
  for (const [index, item] of items.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(...item);
  }
  parts.push(END);
  return new JsonBytes(parts);
}

const COMMA = Buffer.from(",");
const END = Buffer.from("]}");
