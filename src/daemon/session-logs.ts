import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { agentSessionName } from "../kinds/agent/agent.observe.ts";
import type { Clock } from "../ports/clock.ts";
import type { Objects } from "../ports/objects.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { LogLine, LogRequest, LogSource } from "../server/pod-logs.ts";

/** What session runtimes offer beside their port. */
export interface LogPaths {
  logPath(name: string, generation: number): string;
}

const POLL_MS = 200;
/** Generations may have no output: a start that failed, or a program that a person started. */
const LOOKED_BACK = 20;

/** Output of sessions from the files the runtime writes; control sequences are taken out. */
export function sessionLogs(
  paths: LogPaths,
  clock: Clock,
  running: (session: TownObject) => boolean,
  ended?: NonNullable<LogSource["ended"]>,
): LogSource {
  return {
    ...(ended === undefined ? {} : { ended }),
    async lines(session, request) {
      const spec = session.spec as { readonly runtimeName?: string; readonly generation?: number };
      if (spec.runtimeName === undefined || spec.generation === undefined) return undefined;
      const newest = request.previous ? spec.generation - 1 : spec.generation;
      const oldest = request.previous || !running(session) ? newest - LOOKED_BACK : newest;
      const path = await newestLog(paths, spec.runtimeName, { newest, oldest: Math.max(1, oldest) });
      if (path === undefined) return undefined;
      return follow(path, request, clock, () => !request.previous && running(session));
    },
  };
}

async function newestLog(
  paths: LogPaths,
  runtimeName: string,
  { newest, oldest }: { readonly newest: number; readonly oldest: number },
): Promise<string | undefined> {
  for (let generation = newest; generation >= oldest; generation -= 1) {
    const path = paths.logPath(runtimeName, generation);
    if ((await placeOf(path)) !== undefined || (await placeOf(`${path}.1`)) !== undefined) return path;
  }
  return undefined;
}

/** The last session of an agent that has none now. */
export function endedSession(objects: Pick<Objects, "get">): NonNullable<LogSource["ended"]> {
  return (namespace = "hq", name) => {
    const agent = objects.get({ kind: "Agent", namespace, name });
    const generation = (agent?.status as { readonly generation?: number } | undefined)?.generation;
    if (agent === undefined || generation === undefined) return undefined;
    const role = String(agent.spec["role"]);
    const spec = { agent: name, role, generation, runtimeName: agentSessionName(namespace, { role }, name) };
    return { ...agent, kind: "Session", spec };
  };
}

/** Lines of a log that the session's own writer turns over: what is in `<path>.1` came first. */
async function* follow(path: string, request: LogRequest, clock: Clock, live: () => boolean): AsyncIterable<LogLine> {
  const lines = new LineBuffer();
  const at = await placeOf(path);
  const timeMs = at?.modifiedMs ?? clock.now();
  const older = await placeOf(`${path}.1`);
  const existing: string[] = [];
  for await (const text of textOf({ path: `${path}.1`, from: 0, to: older?.size ?? 0 }))
    existing.push(...lines.add(text));
  for await (const text of textOf({ path, from: 0, to: at?.size ?? 0 })) existing.push(...lines.add(text));
  // A prompt that waits for input ends without a newline; who follows sees it, too.
  existing.push(...lines.end());
  const shown =
    request.tailLines === undefined ? existing : existing.slice(Math.max(0, existing.length - request.tailLines));
  for (const text of shown) yield { text, timeMs };
  if (!request.follow) return;
  for await (const part of grown(path, at, request, clock, live))
    for await (const text of textOf(part))
      for (const line of lines.add(text)) yield { text: line, timeMs: clock.now() };
  for (const text of lines.end()) yield { text, timeMs: clock.now() };
}

/** What is written from now on, until the session ended and all of it was told, or nobody listens. */
async function* grown(
  path: string,
  from: Place | undefined,
  request: LogRequest,
  clock: Clock,
  live: () => boolean,
): AsyncIterable<Part> {
  let at = from;
  while (!request.signal.aborted) {
    const alive = live();
    const now = await placeOf(path);
    const parts = await written(path, at, now);
    yield* parts;
    at = now ?? at;
    if (parts.length > 0) continue;
    if (!alive) return;
    await clock.sleep(POLL_MS, request.signal);
  }
}

interface Place {
  readonly file: number;
  readonly size: number;
  readonly modifiedMs: number;
}

interface Part {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** What was written since a look: the rest of a file that was turned over meanwhile, then the new one. */
async function written(path: string, before: Place | undefined, now: Place | undefined): Promise<readonly Part[]> {
  if (now === undefined) return [];
  if (before === undefined || before.file === now.file)
    return now.size > (before?.size ?? 0) ? [{ path, from: before?.size ?? 0, to: now.size }] : [];
  const turned = await placeOf(`${path}.1`);
  const rest =
    turned?.file === before.file && turned.size > before.size
      ? [{ path: `${path}.1`, from: before.size, to: turned.size }]
      : [];
  return now.size > 0 ? [...rest, { path, from: 0, to: now.size }] : rest;
}

async function placeOf(path: string): Promise<Place | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? undefined : { file: found.ino, size: found.size, modifiedMs: found.mtimeMs };
}

async function* textOf({ path, from, to }: Part): AsyncIterable<string> {
  if (to <= from) return;
  try {
    for await (const text of createReadStream(path, { start: from, end: to - 1, encoding: "utf8" })) yield String(text);
  } catch (error) {
    // It was turned over once more since it was looked at.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Whole lines of a text that comes in pieces; empty ones and control characters are left out. */
class LineBuffer {
  #rest = "";

  add(text: string): readonly string[] {
    const lines = `${this.#rest}${text}`.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.map(shownLine).filter((line) => line !== "");
  }

  /** What is left without a final newline. */
  end(): readonly string[] {
    return this.add("\n");
  }
}

function shownLine(line: string): string {
  return plainLine(line).trimEnd();
}

/** Terminal output as text: escape sequences and other control characters are taken out. */
export function plainLine(line: string): string {
  const withoutTitles = line.replaceAll(
    new RegExp(`${ESCAPE}\\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)`, "g"),
    "",
  );
  const withoutSequences = withoutTitles.replaceAll(
    new RegExp(`${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|[@-_a-z=>])`, "g"),
    "",
  );
  return Array.from(withoutSequences)
    .filter((character) => character === "\t" || (character >= " " && character !== DELETE))
    .join("");
}

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
const DELETE = String.fromCharCode(127);
