import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { Files } from "../ports/files.ts";
import { formatVersion } from "./paths.ts";

interface Shard {
  readonly file: string;
  readonly records: number;
  readonly characters: number;
}

interface Manifest {
  readonly format: number;
  readonly commit: string;
  readonly shards: readonly Shard[];
}

const shardCharacters = 1_000_000;

/**
 * The records of one commit in files that load fast. Made from the branch and made again at will: a cache that is missing,
 * damaged or of another format is simply not used.
 */
export async function readCache(
  files: Files,
  directory: string,
): Promise<{ readonly commit: string; readonly records: readonly BeadRecord[] } | undefined> {
  const manifest = parseManifest(await files.readText(`${directory}/manifest.json`));
  if (manifest === undefined) return undefined;
  const records: BeadRecord[] = [];
  for (const { file, records: count, characters } of manifest.shards) {
    const text = await files.readText(`${directory}/${file}`);
    if (text?.length !== characters) return undefined;
    const shard = parseShard(text);
    if (shard?.length !== count) return undefined;
    for (const record of shard) records.push(record);
  }
  return { commit: manifest.commit, records };
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
  const shards: Shard[] = [];
  const flush = async (lines: readonly string[]): Promise<void> => {
    const text = `[${lines.join(",\n")}]\n`;
    const file = `${commit.slice(0, 12)}-${shards.length}.json`;
    await files.writeAtomic(`${directory}/${file}`, text, { mode: 0o600 });
    shards.push({ file, records: lines.length, characters: text.length });
  };
  let lines: string[] = [];
  let characters = 0;
  for (const record of records) {
    const line = JSON.stringify(record);
    lines.push(line);
    characters += line.length;
    // A shard at a time, so that other work goes on in between.
    if (characters < shardCharacters) continue;
    await flush(lines);
    lines = [];
    characters = 0;
  }
  if (lines.length > 0) await flush(lines);
  const manifest: Manifest = { format: formatVersion, commit, shards };
  await files.writeAtomic(`${directory}/manifest.json`, `${JSON.stringify(manifest)}\n`, { mode: 0o600 });
  const current = new Set(shards.map(({ file }) => file));
  for (const name of former)
    if (name !== "manifest.json" && !current.has(name)) await files.remove(`${directory}/${name}`);
}

function parseManifest(text: string | undefined): Manifest | undefined {
  try {
    const value = JSON.parse(text ?? "") as Partial<Manifest>;
    return value.format === formatVersion && typeof value.commit === "string" && Array.isArray(value.shards)
      ? (value as Manifest)
      : undefined;
  } catch {
    return undefined;
  }
}

function parseShard(text: string): readonly BeadRecord[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? (value as readonly BeadRecord[]) : undefined;
  } catch {
    return undefined;
  }
}
