import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Clock } from "../ports/clock.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { LogLine, LogRequest, LogSource } from "../server/pod-logs.ts";

/** What session runtimes offer beside their port. */
export interface LogPaths {
  logPath(name: string, generation: number): string;
}

const POLL_MS = 200;

/** Output of sessions from the files the runtime writes; control sequences are taken out. */
export function sessionLogs(paths: LogPaths, clock: Clock, running: (session: TownObject) => boolean): LogSource {
  return {
    async lines(session, request) {
      const spec = session.spec as { readonly runtimeName?: string; readonly generation?: number };
      if (spec.runtimeName === undefined || spec.generation === undefined) return undefined;
      const generation = request.previous ? spec.generation - 1 : spec.generation;
      const path = paths.logPath(spec.runtimeName, generation);
      if ((await sizeOf(path)) === undefined) return undefined;
      return follow(path, request, clock, () => !request.previous && running(session));
    },
  };
}

async function* follow(path: string, request: LogRequest, clock: Clock, live: () => boolean): AsyncIterable<LogLine> {
  const size = (await sizeOf(path)) ?? 0;
  const timeMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? clock.now();
  const existing: string[] = [];
  for await (const line of linesOf(path, 0, size)) existing.push(line);
  const shown =
    request.tailLines === undefined ? existing : existing.slice(Math.max(0, existing.length - request.tailLines));
  for (const text of shown) yield { text, timeMs };
  let at = size;
  while (request.follow && !request.signal.aborted) {
    const alive = live();
    const now = (await sizeOf(path)) ?? at;
    if (now < at) at = 0;
    if (now > at) {
      for await (const text of linesOf(path, at, now)) yield { text, timeMs: clock.now() };
      at = now;
    } else if (!alive) return;
    else await clock.sleep(POLL_MS, request.signal);
  }
}

async function* linesOf(path: string, from: number, to: number): AsyncIterable<string> {
  if (to <= from) return;
  const input = createReadStream(path, { start: from, end: to - 1, encoding: "utf8" });
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const text = plainLine(line).trimEnd();
    if (text !== "") yield text;
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
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
