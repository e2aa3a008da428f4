import type { Files } from "../ports/files.ts";
import type { Random } from "../ports/random.ts";
import { tooNew } from "./local-state.ts";
import type { StorePaths } from "./paths.ts";
import { formatVersion } from "./paths.ts";

/** Who a store is: the ids of its logs, the last of which it writes. */
export interface StoreIdentity {
  readonly logId: string;
  readonly logs: readonly string[];
}

/**
 * Reads or makes the identity of a store. A repository that was copied or moved to another path gets a new log, so that two
 * copies never write under one id; the old log is still replayed. Throws TownError `FormatTooNew`.
 */
export async function readIdentity(
  files: Files,
  paths: StorePaths,
  random: Random,
  location: string,
  readOnly: boolean,
): Promise<StoreIdentity> {
  const known = parseIdentity(paths.identity, await files.readText(paths.identity));
  const found = (await files.list(paths.wal)).filter((name) => /^[0-9a-z]+$/.test(name));
  // A lost identity file must not hide logs: whatever is there is replayed.
  const logs = [...(known?.logs ?? []), ...found.filter((id) => known?.logs.includes(id) !== true)];
  const current = known?.location === location ? logs.at(-1) : undefined;
  if (current !== undefined) return { logId: current, logs };
  const logId = random.base36(10);
  if (!readOnly) await writeIdentity(files, paths, location, [...logs, logId]);
  return { logId, logs: [...logs, logId] };
}

/** `logs`: oldest first, the last one is written. */
export async function writeIdentity(
  files: Files,
  paths: StorePaths,
  location: string,
  logs: readonly string[],
): Promise<void> {
  await files.writeAtomic(paths.identity, `${JSON.stringify({ format: formatVersion, location, logs })}\n`);
}

function parseIdentity(
  path: string,
  text: string | undefined,
): { readonly location: string; readonly logs: readonly string[] } | undefined {
  if (text === undefined) return undefined;
  let value: { readonly format?: number; readonly location?: unknown; readonly logs?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (typeof value.format === "number" && value.format > formatVersion) throw tooNew(path, value.format);
  const logs = Array.isArray(value.logs) ? value.logs.filter((id) => typeof id === "string") : [];
  return { location: String(value.location), logs };
}
