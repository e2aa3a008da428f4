import { Buffer } from "node:buffer";
import { badRequest } from "./status.ts";

/** A field of a protobuf message: its number, and its bytes or whole number. */
export interface WireField {
  readonly field: number;
  readonly value: Uint8Array | number;
}

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** A nested message as one field. */
export function messageField(field: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(field * 8 + BYTES), varint(body.byteLength), body]);
}

export function textField(field: number, text: string): Uint8Array {
  return messageField(field, Buffer.from(text));
}

export function booleanField(field: number, value: boolean): Uint8Array {
  return Buffer.concat([varint(field * 8 + VARINT), varint(value ? 1 : 0)]);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Uint8Array.from([...bytes, rest]);
}

/** The fields of a message in their order. Throws 400 for bytes that are none. */
export function readFields(bytes: Uint8Array): readonly WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[at];
      if (byte === undefined || scale > 2 ** 63) throw malformed();
      at += 1;
      value += (byte % 0x80) * scale;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.byteLength) throw malformed();
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.byteLength) {
    const tag = number();
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        fields.push({ field, value: number() });
        break;
      case BYTES:
        fields.push({ field, value: take(number()) });
        break;
      case FIXED_64:
        take(8);
        break;
      case FIXED_32:
        take(4);
        break;
      default:
        throw malformed();
    }
  }
  return fields;
}

/** Bytes of the last field of that number; undefined when it is missing. Throws 400. */
export function bytesOf(fields: readonly WireField[], field: number): Uint8Array | undefined {
  const value = fields.findLast((each) => each.field === field)?.value;
  if (typeof value === "number") throw malformed();
  return value;
}

/** Text of the last field of that number; "" when it is missing. Throws 400. */
export function textOf(fields: readonly WireField[], field: number): string {
  return Buffer.from(bytesOf(fields, field) ?? []).toString("utf8");
}

function malformed() {
  return badRequest("the object provided is unrecognized: it is not a protobuf message");
}
