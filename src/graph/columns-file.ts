import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { Arrays, ColumnName, Columns, ListName, Lists } from "../domain/work-graph/index/columns.ts";
import { columnKinds } from "../domain/work-graph/index/columns.ts";
import type { CommitHead } from "./commit-head.ts";

/** What the columns of a commit come with. */
export interface ColumnsHead extends CommitHead {
  /** Name of the file that holds the texts of the records. */
  readonly texts: string;
  /** How much of that file the columns know of. */
  readonly textBytes: number;
}

export interface ColumnsFile {
  readonly head: ColumnsHead;
  readonly columns: Columns;
  /** Records that fit into no column. */
  readonly odd: readonly BeadRecord[];
}

type Section = readonly [start: number, bytes: number];

interface Header extends ColumnsHead {
  readonly format: number;
  readonly rows: number;
  readonly topLevel: number;
  readonly deleted: number;
  readonly arrays: Readonly<Record<ColumnName, Section>>;
  readonly lists: Readonly<Record<ListName | "odd", Section>>;
}

/*
 * A file is four words and a header, JSON with where everything is, then the columns as they lie in memory, each at a
 * multiple of eight, then lists as JSON. The words: `magic`, which reads otherwise on a machine that orders its bytes the
 * other way around; the sum of all words from the third on; length of the header; 0.
 */
const format = 5;
const magic = 0x54434f4c;
const wordBytes = 16;
const listNames: readonly (ListName | "odd")[] = [
  "status",
  "issueType",
  "assignee",
  "labels",
  "edgeType",
  "outside",
  "key",
  "waits",
  "odd",
];
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeColumns({ head, columns, odd }: ColumnsFile): Uint8Array {
  let end = 0;
  const place = (bytes: number): Section => {
    const start = end;
    end += Math.ceil(bytes / 8) * 8;
    return [start, bytes];
  };
  const lists = listNames.map((name) => encoder.encode(JSON.stringify(name === "odd" ? odd : columns.list(name))));
  const { rows, topLevel, deleted } = columns;
  const header = encoder.encode(
    JSON.stringify({
      ...head,
      format,
      rows,
      topLevel,
      deleted,
      arrays: Object.fromEntries(columnKinds.map(([name]) => [name, place(columns.arrays[name].byteLength)])),
      lists: Object.fromEntries(listNames.map((name, i) => [name, place(lists[i]?.length ?? 0)])),
    }),
  );
  const first = firstSection(header.length);
  const file = new Uint8Array(first + end);
  file.set(header, wordBytes);
  let at = first;
  for (const [name] of columnKinds) {
    const { buffer, byteOffset, byteLength } = columns.arrays[name];
    file.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += Math.ceil(byteLength / 8) * 8;
  }
  for (const list of lists) {
    file.set(list, at);
    at += Math.ceil(list.length / 8) * 8;
  }
  const words = new Uint32Array(file.buffer);
  words[0] = magic;
  words[2] = header.length;
  words[1] = sumOf(words);
  return file;
}

/** Undefined: it is of another format, of another machine, or damaged. */
export function decodeColumns(bytes: Uint8Array): ColumnsFile | undefined {
  if (bytes.length < wordBytes || bytes.length % 8 !== 0) return undefined;
  const file = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(file.buffer, file.byteOffset, file.length / 4);
  if (words[0] !== magic || words[1] !== sumOf(words)) return undefined;
  const length = words[2] ?? 0;
  // Nobody but this program writes such a sum, so what follows is whole.
  const header = JSON.parse(decoder.decode(file.subarray(wordBytes, wordBytes + length))) as Header;
  if (header.format !== format) return undefined;
  const first = file.byteOffset + firstSection(length);
  const arrays = Object.fromEntries(
    columnKinds.map(([name, Kind]) => {
      const [start, size] = header.arrays[name];
      return [name, new Kind(file.buffer as ArrayBuffer, first + start, size / Kind.BYTES_PER_ELEMENT)];
    }),
  ) as unknown as Arrays;
  const read = (name: ListName | "odd"): unknown => {
    const [start, size] = header.lists[name];
    const from = firstSection(length) + start;
    return JSON.parse(decoder.decode(file.subarray(from, from + size)));
  };
  const known: Partial<Lists> = {};
  const list = <K extends ListName>(name: K): Lists[K] => (known[name] ??= read(name) as Lists[K]) as Lists[K];
  const { rows, topLevel, deleted, commit, tree, positions, texts, textBytes } = header;
  return {
    head: { commit, tree, positions, texts, textBytes },
    columns: { rows, topLevel, deleted, arrays, list },
    odd: read("odd") as readonly BeadRecord[],
  };
}

function firstSection(headerLength: number): number {
  return Math.ceil((wordBytes + headerLength) / 8) * 8;
}

/** Two sums side by side, since one waits for its own multiplication. */
function sumOf(words: Uint32Array): number {
  let left = 0x9e3779b9;
  let right = 0x85ebca6b;
  for (let i = 2; i < words.length; i += 2) {
    left = Math.imul(left ^ (words[i] ?? 0), 0x01000193);
    right = Math.imul(right ^ (words[i + 1] ?? 0), 0x5bd1e995) + i;
    left ^= left >>> 15;
    right ^= right >>> 13;
  }
  return (left ^ Math.imul(right, 0x27d4eb2d)) >>> 0;
}
