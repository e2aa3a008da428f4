import type { BeadRecord } from "../domain/work-graph/bead.ts";
import {
  BeadTable,
  fitsTable,
  parentsOutside,
  tableLineCount,
  tableLines,
} from "../domain/work-graph/index/bead-table.ts";
import { DormantBead } from "../domain/work-graph/index/dormant-bead.ts";
import type { PreparedReady } from "../domain/work-graph/index/prepared-ready.ts";
import { looseIds } from "../domain/work-graph/index/prepared-ready.ts";
import type { Files } from "../ports/files.ts";
import { readChanges } from "./cached-changes.ts";
import { CachedTexts } from "./cached-texts.ts";
import type { CachePosition, CommitHead } from "./commit-head.ts";

/** Rows of one table, and the texts of their records. */
interface Shard {
  /** Columns, a line each; the last line holds the lengths of the texts in bytes. */
  readonly facts: string;
  readonly rows: number;
  readonly texts: string;
  readonly bytes: number;
}

interface ReadyFile {
  readonly ready: PreparedReady;
  readonly loose: readonly string[];
}

interface Manifest extends CommitHead {
  readonly format: number;
  /** Ids of parents that are in no record. */
  readonly outside: readonly string[];
  /** Records that fit into no table, as a JSON array. */
  readonly odd: { readonly file: string; readonly records: number };
  /** What was ready, and which records something elsewhere decides about. */
  readonly ready: string;
  readonly shards: readonly Shard[];
}

/** The records of one commit, as they lie in the cache. */
export interface CachedCommit {
  readonly head: CommitHead;
  readonly records: readonly BeadRecord[];
  readonly tables: readonly BeadTable[];
  /** Ids in the tables that were changed since, or are gone. */
  readonly without: ReadonlySet<string>;
  /** Parents of what is in the tables that are in none. */
  readonly outside: readonly string[];
  /** What was ready among what is in the tables. */
  readonly ready: PreparedReady | undefined;
  /** Those in the tables of which only what is elsewhere decides. */
  readonly loose: readonly string[];
  /** How many records are not in the tables. */
  readonly uncached: number;
  readonly cache: CachePosition;
  /** Lets the files go: nothing that sleeps can be read any more. */
  close(): Promise<void>;
}

const cacheFormat = 4;
const shardRows = 20_000;
const shardCharacters = 16_000_000;
const manifestName = "manifest.json";

/**
 * The records of one commit in files that load fast: what indexes need by column, the records themselves unread. Made from
 * the branch and made again at will: a cache that is missing, damaged or of another format is simply not used. What was
 * changed since is on top, as far as it leads towards the commit `wanted`.
 */
export async function readCache(files: Files, directory: string, wanted: string): Promise<CachedCommit | undefined> {
  const manifest = parseManifest(await files.readText(`${directory}/${manifestName}`));
  if (manifest === undefined) return undefined;
  const { commit, tree, positions, outside, odd } = manifest;
  const records = parse<readonly BeadRecord[]>(await files.readText(`${directory}/${odd.file}`));
  if (!Array.isArray(records) || records.length !== odd.records) return undefined;
  const known = parse<ReadyFile>(await files.readText(`${directory}/${manifest.ready}`));
  if (known === undefined) return undefined;
  const opened: CachedTexts[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((texts) => texts.close()));
  };
  const tables: BeadTable[] = [];
  for (const shard of manifest.shards) {
    const table = await readShard(files, directory, shard, opened);
    if (table === undefined) {
      await close();
      return undefined;
    }
    tables.push(table);
  }
  const changes = await readChanges(files, changesPath(directory, commit), { commit, tree, positions }, wanted);
  const unchanged = records.filter(({ id }) => !changes.records.has(id));
  const changed = [...changes.records.values()].filter((record) => record !== undefined);
  return {
    head: changes.head,
    cache: { tables: commit, commit: changes.head.commit },
    records: [...unchanged, ...changed],
    tables,
    without: new Set(changes.records.keys()),
    outside,
    ...known,
    uncached: changes.records.size,
    close,
  };
}

/** Where what was changed since `commit` is added to the cache of that commit. */
export function changesPath(directory: string, commit: string): string {
  return `${directory}/${commit.slice(0, 12)}-changes.jsonl`;
}

async function readShard(
  files: Files,
  directory: string,
  { facts, rows, texts: textsFile, bytes }: Shard,
  opened: CachedTexts[],
): Promise<BeadTable | undefined> {
  const lines = (await files.readText(`${directory}/${facts}`))?.split("\n") ?? [];
  const file = await files.openRead(`${directory}/${textsFile}`);
  if (file === undefined) return undefined;
  const texts = new CachedTexts(file, lines[tableLineCount] ?? "", directory);
  opened.push(texts);
  if (lines.length !== tableLineCount + 2 || file.size !== bytes) return undefined;
  const table = new BeadTable(lines, texts);
  return table.ids.length === rows ? table : undefined;
}

/** Replaces the cache. `beads` are those of the commit, exactly; what sleeps in them is not read. */
export async function writeCache(
  files: Files,
  directory: string,
  head: CommitHead,
  beads: readonly (BeadRecord | DormantBead)[],
  ready: PreparedReady,
): Promise<void> {
  await files.makeDirectory(directory, { mode: 0o700 });
  const former = await files.list(directory);
  const current = new Set([manifestName]);
  const write = async (part: string, text: string): Promise<string> => {
    const file = `${head.commit.slice(0, 12)}-${part}`;
    current.add(file);
    await files.writeAtomic(`${directory}/${file}`, text, { mode: 0o600 });
    return file;
  };
  const odd = beads.filter((bead) => !(bead instanceof DormantBead || fitsTable(bead)));
  const shards: Shard[] = [];
  for (const part of partsOf(beads.filter((bead) => bead instanceof DormantBead || fitsTable(bead)))) {
    const name = String(shards.length);
    const texts = await write(`${name}.txt`, part.map(({ text }) => text).join(""));
    const lengths = part.map(({ text }) => byteLength(text));
    const lines = [...tableLines(part.map((row) => row.facts)), JSON.stringify(lengths)];
    const facts = await write(`${name}.jsonl`, `${lines.join("\n")}\n`);
    shards.push({ facts, rows: part.length, texts, bytes: lengths.reduce((sum, length) => sum + length, 0) });
  }
  const oddFile = await write("odd.json", JSON.stringify(odd));
  const facts = beads.map(factsOf);
  const known: ReadyFile = { ready, loose: looseIds(facts) };
  const manifest: Manifest = {
    format: cacheFormat,
    ...head,
    outside: parentsOutside(facts),
    ready: await write("ready.json", JSON.stringify(known)),
    odd: { file: oddFile, records: odd.length },
    shards,
  };
  await files.writeAtomic(`${directory}/${manifestName}`, `${JSON.stringify(manifest)}\n`, { mode: 0o600 });
  for (const file of former) if (!current.has(file)) await files.remove(`${directory}/${file}`);
}

interface Row {
  readonly facts: BeadRecord;
  readonly text: string;
}

/**
 * Closed ones apart, since mostly nothing of them is looked at; else by age, which is how they are listed. A shard at a time,
 * so that other work goes on in between.
 */
function* partsOf(beads: readonly (BeadRecord | DormantBead)[]): Iterable<readonly Row[]> {
  for (const isClosed of [false, true]) {
    const rows = beads
      .filter(({ status }) => (status === "closed") === isClosed)
      .map((bead) => ({ bead, facts: factsOf(bead) }))
      .sort((a, b) => (a.facts.created_at < b.facts.created_at ? -1 : a.facts.created_at > b.facts.created_at ? 1 : 0));
    let part: Row[] = [];
    let characters = 0;
    for (const { bead, facts } of rows) {
      const text = bead instanceof DormantBead ? bead.text() : JSON.stringify(bead);
      part.push({ facts, text });
      characters += text.length;
      if (part.length < shardRows && characters < shardCharacters) continue;
      yield part;
      part = [];
      characters = 0;
    }
    if (part.length > 0) yield part;
  }
}

function factsOf(bead: BeadRecord | DormantBead): BeadRecord {
  return bead instanceof DormantBead ? bead.facts : bead;
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function parseManifest(text: string | undefined): Manifest | undefined {
  const value = parse<Partial<Manifest>>(text);
  const isWhole =
    value?.format === cacheFormat &&
    typeof value.commit === "string" &&
    typeof value.tree === "string" &&
    typeof value.positions === "object" &&
    Array.isArray(value.outside) &&
    Array.isArray(value.shards) &&
    typeof value.ready === "string" &&
    value.odd !== undefined;
  return isWhole ? (value as Manifest) : undefined;
}

function parse<T>(text: string | undefined): T | undefined {
  try {
    return (JSON.parse(text ?? "null") as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
