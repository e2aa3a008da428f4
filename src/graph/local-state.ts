import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";
import type { HistoryEntry } from "../ports/work-graph.ts";
import { eventLine, parseEventLine } from "./event-log.ts";
import { formatVersion } from "./paths.ts";

/** A wisp with what happened to it, oldest first. */
export interface KeptWisp {
  readonly record: BeadRecord;
  readonly rev: number;
  readonly history: readonly HistoryEntry[];
}

/** A lease that was renewed without the branch knowing. */
export interface RenewedLease {
  readonly from: string;
  readonly to: string;
  /** Fingerprint of the record it belongs to. */
  readonly of: string;
}

/** What lives beside the branch: wisps, answers to requests, and who this store is. */
export interface LocalState {
  /** The log positions that are contained: log id to seq. */
  readonly logs: ReadonlyMap<string, number>;
  readonly wisps: readonly KeptWisp[];
  readonly leases: ReadonlyMap<string, RenewedLease>;
  /** Revs above 1 of the records on the branch; read from their lines now. */
  readonly revs: () => ReadonlyMap<string, number>;
  /** Request id to answer, oldest first. */
  readonly requests: ReadonlyMap<string, unknown>;
  /** Lines that could not be read, for the set-aside file. */
  readonly damaged: readonly string[];
}

const empty: LocalState = {
  logs: new Map(),
  wisps: [],
  leases: new Map(),
  revs: () => new Map(),
  requests: new Map(),
  damaged: [],
};

/**
 * One line of the file: a wisp with its rev and the lines of its history, the rev of a bead or its lease, or the answer to a
 * request.
 */
interface Item {
  readonly d?: BeadRecord;
  readonly h?: readonly string[];
  readonly i?: string;
  readonly k?: number;
  /** Whose lease `l` is. */
  readonly b?: string;
  readonly l?: RenewedLease;
  readonly r?: string;
  readonly v?: unknown;
}

/** Throws TownError `FormatTooNew`. */
export async function readLocalState(files: Files, path: string): Promise<LocalState> {
  const [first, ...lines] = ((await files.readText(path)) ?? "").split("\n").filter((line) => line !== "");
  if (first === undefined) return empty;
  const header = parse(first) as { readonly format?: number; readonly logs?: Record<string, number> } | undefined;
  if (header?.format === undefined) return { ...empty, damaged: [first, ...lines] };
  if (header.format > formatVersion) throw tooNew(path, header.format);
  const revLines: string[] = [];
  const state = {
    logs: new Map(Object.entries(header.logs ?? {})),
    wisps: [] as KeptWisp[],
    leases: new Map<string, RenewedLease>(),
    revs: () => revsIn(revLines),
    requests: new Map<string, unknown>(),
    damaged: [] as string[],
  };
  for (const line of lines) {
    // There can be one for each bead, and most who open a store never ask for a rev.
    if (line.startsWith('{"i":') && line.endsWith("}")) {
      revLines.push(line);
      continue;
    }
    const item = parse(line) as Item | undefined;
    if (item?.d !== undefined) state.wisps.push({ record: item.d, rev: item.k ?? 1, history: historyOf(item.h) });
    else if (item?.b !== undefined && item.l !== undefined) state.leases.set(item.b, item.l);
    else if (item?.r !== undefined) state.requests.set(item.r, item.v);
    else state.damaged.push(line);
  }
  return state;
}

function revsIn(lines: readonly string[]): ReadonlyMap<string, number> {
  const revs = new Map<string, number>();
  for (const line of lines) {
    const item = parse(line) as Item | undefined;
    if (item?.i !== undefined) revs.set(item.i, item.k ?? 1);
  }
  return revs;
}

/** Replaces the file as a whole; durable when it resolves. */
export async function writeLocalState(
  files: Files,
  path: string,
  state: Omit<LocalState, "damaged" | "revs"> & { readonly revs: ReadonlyMap<string, number> },
): Promise<void> {
  const lines = [
    JSON.stringify({ format: formatVersion, logs: Object.fromEntries(state.logs) }),
    ...state.wisps.map(({ record, rev, history }) => JSON.stringify({ d: record, k: rev, h: history.map(eventLine) })),
    ...[...state.leases].map(([id, lease]) => JSON.stringify({ b: id, l: lease })),
    ...[...state.revs].map(([id, rev]) => JSON.stringify({ i: id, k: rev })),
    ...[...state.requests].map(([request, answer]) => JSON.stringify({ r: request, v: answer })),
  ];
  await files.writeAtomic(path, `${lines.join("\n")}\n`, { mode: 0o600 });
}

function historyOf(lines: readonly string[] | undefined): readonly HistoryEntry[] {
  return (lines ?? []).map(parseEventLine).filter((entry) => entry !== undefined);
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) ?? undefined;
  } catch {
    return undefined;
  }
}

export function tooNew(path: string, format: number): TownError {
  return new TownError(
    "FormatTooNew",
    `Cannot read ${path}: it has format ${format}, this version of Town knows ${formatVersion}.`,
    {
      hint: "Use the version of Town that wrote it, or a newer one.",
    },
  );
}
