import { parseEventLine } from "./event-log.ts";

/** A stretch of whole lines of the history, with what tells whether a bead can be in it. */
export interface Block {
  /** Where it ends, bytes; it begins where the one before it ends. */
  readonly to: number;
  /** `byteSum` of it. */
  readonly sum: number;
  /** A Bloom filter of the ids of its events, six bits a character. */
  readonly ids: string;
}

/** Blocks are made of about so many bytes: few are read for one bead, and there are few to look through. */
export const blockBytes = 65_536;

const filterBits = 6 * 700;
const probes = 3;
const decoder = new TextDecoder();

export const emptySum = 0x811c9dc5;

/** Of bytes that follow others, whose sum is `before`. */
export function byteSum(bytes: Uint8Array, before = emptySum): number {
  let sum = before;
  for (let i = 0; i < bytes.length; i++) sum = Math.imul(sum ^ (bytes[i] ?? 0), 0x01000193);
  return sum >>> 0;
}

/** Cuts whole lines into blocks. `start`: where they begin in the file. */
export function* blocksOf(bytes: Uint8Array, start: number): Iterable<Block> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, Math.min(bytes.length, from + blockBytes) - 1) + 1;
    const block = bytes.subarray(from, end === 0 ? bytes.length : end);
    yield { to: start + from + block.length, sum: byteSum(block), ids: filterOf(decoder.decode(block)) };
    from += block.length;
  }
}

/** Whether an event of the bead may be in it; false: there is none. */
export function mayHold({ ids }: Block, id: string): boolean {
  return probesOf(id).every((bit) => (((ids.charCodeAt(Math.floor(bit / 6)) - 48) >> (bit % 6)) & 1) === 1);
}

function filterOf(text: string): string {
  const sixes = new Uint8Array(filterBits / 6).fill(48);
  let last = "";
  for (const line of text.split("\n")) {
    const id = idOf(line);
    if (id === undefined || id === last) continue;
    last = id;
    for (const bit of probesOf(id)) {
      const at = Math.floor(bit / 6);
      sixes[at] = (((sixes[at] ?? 48) - 48) | (1 << (bit % 6))) + 48;
    }
  }
  return String.fromCharCode(...sixes);
}

/** Of a line as this version writes it without reading all of it. */
const ownLine = /^\{"t":\d+,"a":"(?:[^"\\]|\\.)*",(?:"n":"(?:[^"\\]|\\.)*",)?"i":"([^"\\]*)",/;

function idOf(line: string): string | undefined {
  return line === "" ? undefined : (ownLine.exec(line)?.[1] ?? parseEventLine(line)?.id);
}

function probesOf(id: string): readonly number[] {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  const step = (Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) | 1) >>> 0;
  return Array.from({ length: probes }, (_, i) => ((hash >>> 0) + i * step) % filterBits);
}

export function blockLine({ to, sum, ids }: Block): string {
  return `${to} ${sum} ${ids} ${checkOf(to, sum, ids)}\n`;
}

/** Undefined: the line is damaged. */
export function parseBlockLine(line: string): Block | undefined {
  const [to = "", sum = "", ids = "", check = ""] = line.split(" ");
  const block = { to: Number(to), sum: Number(sum), ids };
  return checkOf(block.to, block.sum, ids) === Number(check) ? block : undefined;
}

function checkOf(to: number, sum: number, ids: string): number {
  let check = Math.imul(to ^ 0x9e3779b9, 0x85ebca6b) ^ sum;
  for (let i = 0; i < ids.length; i++) check = Math.imul(check ^ ids.charCodeAt(i), 0x01000193);
  return check >>> 0;
}
