import type { LoopPorts } from "../../ports/loop-ports.ts";
import { durationMs, quantityBytes } from "../../resource/field.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { transcriptDirectory } from "../../work/kept-transcript.ts";
import type { TownSpec } from "../town/town.schema.ts";

/** Files that go for one reason. */
export interface StaleFiles {
  readonly sort: "Log" | "Transcript";
  readonly paths: readonly string[];
  readonly evidence: string;
}

type SessionObject = TownObject<{ readonly runtimeName: string; readonly generation: number }>;

/** Logs older than this go. */
const LOG_TTL_MS = 14 * 24 * 3_600_000;
/** All logs together, newest first, take no more than this. */
const LOG_CAP_BYTES = 1024 ** 3;
/** Of one sort in one look: thirty busy agents leave some hundreds of files an hour, and a look takes moments. */
const MOST_FILES = 1_000;

/** Logs of gates, set-ups and sessions that are old, or beyond what all of them may take. The controller's own stays. */
export async function staleLogs(ports: LoopPorts, now: number): Promise<readonly StaleFiles[]> {
  const running = new Set(
    (ports.objects.list("Session") as readonly SessionObject[]).map(
      ({ spec }) => `${spec.runtimeName}.${spec.generation}.log`,
    ),
  );
  const logs: KeptFile[] = [];
  for (const directory of [`${ports.layout.state}/log`, `${ports.layout.state}/sessions/logs`])
    for (const file of await filesBelow(directory, ports, 3)) {
      const name = file.path.slice(file.path.lastIndexOf("/") + 1);
      const isKept = name.startsWith("daemon.log") || running.has(name.replace(/\.1$/, ""));
      if (/\.log(\.1)?$/.test(name) && !isKept) logs.push(file);
    }
  const limits = { ttlMs: LOG_TTL_MS, ttl: "14 days", capBytes: LOG_CAP_BYTES, cap: "1 GiB" };
  return stale("Log", logs, limits, now);
}

/** Copies of conversations, which nobody writes to any more. */
export async function staleTranscripts(
  { transcripts: { ttl, maxSize } }: TownSpec,
  ports: LoopPorts,
  now: number,
): Promise<readonly StaleFiles[]> {
  const kept = await filesBelow(transcriptDirectory(ports), ports, 3);
  const limits = { ttlMs: durationMs(ttl), ttl, capBytes: quantityBytes(maxSize), cap: maxSize };
  return stale("Transcript", kept, limits, now);
}

interface KeptFile {
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Those that are too old, and the oldest of those that take too much together. */
function stale(
  sort: StaleFiles["sort"],
  files: readonly KeptFile[],
  limits: { readonly ttlMs: number; readonly ttl: string; readonly capBytes: number; readonly cap: string },
  now: number,
): readonly StaleFiles[] {
  const old: string[] = [];
  const beyond: string[] = [];
  let total = 0;
  for (const { path, bytes, modifiedMs } of files.toSorted(
    (a, b) => b.modifiedMs - a.modifiedMs || (a.path < b.path ? -1 : 1),
  )) {
    total += bytes;
    if (now - modifiedMs > limits.ttlMs) old.push(path);
    else if (total > limits.capBytes) beyond.push(path);
  }
  return [
    { sort, paths: old.slice(-MOST_FILES), evidence: `not written for ${limits.ttl}` },
    { sort, paths: beyond.slice(-MOST_FILES), evidence: `newer ones take ${limits.cap} already` },
  ].filter(({ paths }) => paths.length > 0);
}

async function filesBelow(directory: string, ports: LoopPorts, depth: number): Promise<readonly KeptFile[]> {
  const found: KeptFile[] = [];
  for (const name of await ports.files.list(directory)) {
    const path = `${directory}/${name}`;
    const stat = await ports.files.stat(path);
    if (stat?.kind === "File") found.push({ path, bytes: stat.size, modifiedMs: stat.modifiedMs });
    else if (stat?.kind === "Directory" && depth > 1) found.push(...(await filesBelow(path, ports, depth - 1)));
  }
  return found;
}
