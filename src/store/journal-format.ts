import { TerminalError } from "../errors/town-error.ts";
import type { ObjectKey, TownObject } from "../resource/object-meta.ts";
import { isRecord } from "../resource/equality.ts";
import type { DesiredOrigin } from "../ports/object-store.ts";

/** Written into the first line of every file of the store; raised by each change that older code could not read. */
export const STORE_FORMAT_VERSION = 1;

/** What is kept of an object of a Work kind, whose content comes back from the work graph. */
export interface SideRecord extends ObjectKey {
  readonly t: "side";
  readonly uid: string;
  readonly generation: number;
  /** Of the spec that had this generation. */
  readonly fingerprint: string;
  readonly status?: Readonly<Record<string, unknown>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** One line of a journal or snapshot. Each states the whole of what it is about, so replaying one twice is harmless. */
export type StoreRecord =
  | { readonly t: "put"; readonly object: TownObject; readonly origin?: DesiredOrigin }
  | SideRecord
  | ({ readonly t: "drop" } & ObjectKey)
  /** No resourceVersion above this was issued before the next such record. */
  | { readonly t: "ceiling"; readonly version: number };

type FileKind = "town-store-journal" | "town-store-snapshot";

export interface StoreFile {
  /** Journal: its own number. Snapshot: the first journal to replay after it. */
  readonly segment: number;
  readonly records: readonly StoreRecord[];
  /** Lines that are no records: a torn tail or worse. */
  readonly damaged: readonly string[];
}

export function headerLine(format: FileKind, segment: number): string {
  return line({ format, version: STORE_FORMAT_VERSION, segment });
}

export function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** A snapshot's text: header, records, and a closing line that proves it is whole. */
export function snapshotText(segment: number, records: readonly StoreRecord[]): string {
  return `${headerLine("town-store-snapshot", segment)}${records.map(line).join("")}${line({ t: "end", count: records.length })}`;
}

/**
 * Reads a file of the store; undefined when it is not one (damaged header, or a snapshot without its end). Throws
 * TerminalError `StateFormatTooNew` for a file that a later version wrote.
 */
export function parseStoreFile(format: FileKind, path: string, text: string): StoreFile | undefined {
  const lines = text.split("\n");
  const header = parseLine(lines[0] ?? "");
  if (!isRecord(header) || header["format"] !== format || typeof header["segment"] !== "number") return undefined;
  if (typeof header["version"] !== "number" || header["version"] > STORE_FORMAT_VERSION) {
    throw new TerminalError(
      "StateFormatTooNew",
      `Cannot read ${path}: it has format version ${String(header["version"])}, this program knows ${STORE_FORMAT_VERSION}.`,
      { hint: "Run the newer version of town, or move the file away: only status and events are lost." },
    );
  }
  const records: StoreRecord[] = [];
  const damaged: string[] = [];
  let end: unknown;
  for (const text of lines.slice(1)) {
    if (text === "") continue;
    const value = parseLine(text);
    if (isRecord(value) && value["t"] === "end") end = value["count"];
    else if (isStoreRecord(value)) records.push(value);
    else damaged.push(text);
  }
  if (format === "town-store-snapshot" && end !== records.length) return undefined;
  return { segment: header["segment"], records, damaged };
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isStoreRecord(value: unknown): value is StoreRecord {
  if (!isRecord(value)) return false;
  switch (value["t"]) {
    case "put":
      return (
        isRecord(value["object"]) &&
        typeof value["object"]["kind"] === "string" &&
        isRecord(value["object"]["metadata"]) &&
        typeof value["object"]["metadata"]["name"] === "string"
      );
    case "side":
      return (
        typeof value["kind"] === "string" &&
        typeof value["name"] === "string" &&
        typeof value["uid"] === "string" &&
        typeof value["generation"] === "number"
      );
    case "drop":
      return typeof value["kind"] === "string" && typeof value["name"] === "string";
    case "ceiling":
      return typeof value["version"] === "number";
    default:
      return false;
  }
}
