import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { DormantFacts } from "../domain/work-graph/index/dormant-bead.ts";
import { DormantBead, dormantFacts, mayBeDormant } from "../domain/work-graph/index/dormant-bead.ts";
import { TownError } from "../errors/town-error.ts";
import type { Files } from "../ports/files.ts";

interface Shard {
  readonly file: string;
  readonly records: number;
  readonly characters: number;
}

interface Manifest {
  readonly format: number;
  readonly commit: string;
  readonly shards: readonly Shard[];
  /** Closed records: texts one after the other, and a file with what must be known of each and how long it is. */
  readonly closed: readonly (Shard & { readonly facts: string })[];
}

/** The records of one commit, as they lie in the cache. */
export interface CachedCommit {
  readonly commit: string;
  readonly records: readonly BeadRecord[];
  readonly dormant: readonly DormantBead[];
}

const cacheFormat = 2;
const shardCharacters = 1_000_000;

/**
 * The records of one commit in files that load fast: closed ones are not even parsed before somebody reads them. Made from
 * the branch and made again at will: a cache that is missing, damaged or of another format is simply not used.
 */
export async function readCache(files: Files, directory: string): Promise<CachedCommit | undefined> {
  const manifest = parseManifest(await files.readText(`${directory}/manifest.json`));
  if (manifest === undefined) return undefined;
  const records: BeadRecord[] = [];
  for (const { file, records: count, characters } of manifest.shards) {
    const text = await files.readText(`${directory}/${file}`);
    const shard = text?.length === characters ? parseArray<BeadRecord>(text) : undefined;
    if (shard?.length !== count) return undefined;
    for (const record of shard) records.push(record);
  }
  const dormant: DormantBead[] = [];
  for (const shard of manifest.closed) {
    const beads = await readDormant(files, directory, shard);
    if (beads === undefined) return undefined;
    for (const bead of beads) dormant.push(bead);
  }
  return { commit: manifest.commit, records, dormant };
}

type LengthAndFacts = readonly [length: number, ...DormantFacts];

async function readDormant(
  files: Files,
  directory: string,
  { file, facts: factsFile, records: count, characters }: Manifest["closed"][number],
): Promise<readonly DormantBead[] | undefined> {
  const text = await files.readText(`${directory}/${file}`);
  const facts = parseArray<LengthAndFacts>((await files.readText(`${directory}/${factsFile}`)) ?? "");
  if (text?.length !== characters || facts?.length !== count) return undefined;
  const beads: DormantBead[] = [];
  let from = 0;
  for (const [length, ...known] of facts) {
    const start = from;
    const end = start + length;
    if (text[start] !== "{" || text[end - 1] !== "}") return undefined;
    beads.push(new DormantBead(known, () => parseDormant(text.slice(start, end), known[0], directory)));
    from = end;
  }
  return from === text.length ? beads : undefined;
}

function parseDormant(text: string, id: string, directory: string): BeadRecord {
  try {
    const record = JSON.parse(text) as BeadRecord;
    if (record.id === id) return record;
  } catch {
    // Said below, as for the record of another bead.
  }
  throw new TownError(
    "CacheDamaged",
    `Cannot read ${id} from the cache of the work graph in ${directory}: it is damaged.`,
    {
      hint: `Nothing is lost: remove ${directory}, and it is made again.`,
    },
  );
}

/** Replaces the cache. `records` are those of `commit`, exactly. */
export async function writeCache(
  files: Files,
  directory: string,
  commit: string,
  records: readonly BeadRecord[],
): Promise<void> {
  await files.makeDirectory(directory, { mode: 0o700 });
  const former = await files.list(directory);
  const name = (part: string): string => `${commit.slice(0, 12)}-${part}`;
  const write = (file: string, text: string): Promise<void> =>
    files.writeAtomic(`${directory}/${file}`, text, { mode: 0o600 });
  const shards: Shard[] = [];
  for (const part of partsOf(records.filter((record) => !mayBeDormant(record)))) {
    const text = `[${part.map(({ line }) => line).join(",\n")}]\n`;
    const file = name(`${shards.length}.json`);
    await write(file, text);
    shards.push({ file, records: part.length, characters: text.length });
  }
  const closed: Manifest["closed"][number][] = [];
  for (const part of partsOf(records.filter(mayBeDormant))) {
    const text = part.map(({ line }) => line).join("");
    const [file, facts] = [name(`closed-${closed.length}.txt`), name(`closed-${closed.length}.json`)];
    await write(file, text);
    await write(facts, JSON.stringify(part.map(({ record, line }) => [line.length, ...dormantFacts(record)])));
    closed.push({ file, facts, records: part.length, characters: text.length });
  }
  const manifest: Manifest = { format: cacheFormat, commit, shards, closed };
  await write("manifest.json", `${JSON.stringify(manifest)}\n`);
  const current = new Set([...shards.map(({ file }) => file), ...closed.flatMap(({ file, facts }) => [file, facts])]);
  for (const file of former)
    if (file !== "manifest.json" && !current.has(file)) await files.remove(`${directory}/${file}`);
}

/** A shard at a time, so that other work goes on in between. */
function* partsOf(
  records: readonly BeadRecord[],
): Iterable<readonly { readonly record: BeadRecord; readonly line: string }[]> {
  let part: { readonly record: BeadRecord; readonly line: string }[] = [];
  let characters = 0;
  for (const record of records) {
    const line = JSON.stringify(record);
    part.push({ record, line });
    characters += line.length;
    if (characters < shardCharacters) continue;
    yield part;
    part = [];
    characters = 0;
  }
  if (part.length > 0) yield part;
}

function parseManifest(text: string | undefined): Manifest | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<Manifest>;
    const isWhole =
      value.format === cacheFormat &&
      typeof value.commit === "string" &&
      Array.isArray(value.shards) &&
      Array.isArray(value.closed);
    return isWhole ? (value as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

function parseArray<T>(text: string): readonly T[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly T[]) : undefined;
  } catch {
    return undefined;
  }
}
