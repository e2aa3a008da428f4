import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Api } from "../connection/api.ts";
import { processExists, startTimesOf } from "../connection/daemon-process.ts";
import { openApi } from "../connection/open-api.ts";
import { findTown, readEndpoint, type Endpoint, type TownLocation } from "../connection/town-location.ts";
import {
  isSet,
  textFlag,
  type CommandContext,
  type CommandInput,
  type Detached,
  type Environment,
} from "../context.ts";
import { durationMs } from "../duration.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { plainText } from "../output/terminal-text.ts";

const POLL_MS = 50;
/** The session's own variables must not leak into the daemon, which would hand them to every agent it starts. */
const SESSION_VARIABLES = [
  "TOWN_SOCKET",
  "TOWN_TOKEN_FILE",
  "TOWN_AGENT",
  "TOWN_NAMESPACE",
  "TOWN_GENERATION",
  "TOWN_IN_TURNS",
];

/** Starts the town's daemon: in the foreground, or with -d in the background, returning once it answers /readyz. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const town = requireTown(context);
  const endpoint = runningEndpoint(town);
  if (endpoint !== undefined) {
    context.streams.out(`town ${town.directory} is already up (pid ${endpoint.pid})\n`);
    return EXIT.done;
  }
  const command = [
    process.execPath,
    join(context.distDirectory, "main.js"),
    "--town",
    town.directory,
    ...daemonFlags(input),
  ];
  const env = daemonEnvironment(context.env);
  if (!isSet(input, "detach"))
    return await context.programs.run(command, { cwd: town.directory, env, forwardSignals: true });
  const logPath = join(town.stateDirectory, "log", "daemon.log");
  mkdirSync(dirname(logPath), { recursive: true, mode: 0o700 });
  const logStart = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
  const daemon = context.programs.startDetached(command, { cwd: town.directory, env, logPath });
  await ready(
    { town, daemon, logPath, logStart, timeoutMs: durationMs(textFlag(input, "timeout") ?? "60s", "timeout") },
    context,
  );
  context.streams.out(`town ${town.directory} is up (pid ${daemon.pid}, log ${logPath})\n`);
  return EXIT.done;
}

/** The town to act on. Throws CliError when there is none, saying how to make one. */
export function requireTown(context: CommandContext): TownLocation {
  const town = findTown(context);
  if (town !== undefined) return town;
  throw new CliError(
    EXIT.failed,
    "NoTown",
    `no town at or above ${context.townOption ?? context.cwd}`,
    "make one with `town init`, or name one with -C DIR",
  );
}

/** The endpoint of a daemon that runs now, by pid and start time: a file left by a killed one does not count. */
export function runningEndpoint(town: TownLocation): Endpoint | undefined {
  const endpoint = readEndpoint(town);
  return endpoint !== undefined &&
    startTimesOf(endpoint.pid).includes(String(endpoint.startTime)) &&
    processExists(endpoint.pid)
    ? endpoint
    : undefined;
}

function daemonFlags(input: CommandInput): string[] {
  const loops = textFlag(input, "loops");
  return loops === undefined ? [] : ["--loops", loops];
}

function daemonEnvironment(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SESSION_VARIABLES.includes(name)));
}

interface Start {
  readonly town: TownLocation;
  readonly daemon: Detached;
  readonly logPath: string;
  /** Size of the log before this start. */
  readonly logStart: number;
  readonly timeoutMs: number;
}

async function ready(start: Start, context: CommandContext): Promise<void> {
  const deadlineMs = context.now() + start.timeoutMs;
  for (;;) {
    if (start.daemon.exitCode() !== undefined) throw died(start);
    if (readEndpoint(start.town)?.pid === start.daemon.pid && (await isReady(start.town, context))) return;
    if (context.now() > deadlineMs) {
      throw new CliError(
        EXIT.timedOut,
        "StartTimedOut",
        `the daemon (pid ${start.daemon.pid}) is not ready after ${start.timeoutMs / 1000} s; it still runs`,
        `see ${start.logPath}; \`town down\` ends it`,
      );
    }
    await context.sleep(POLL_MS);
  }
}

async function isReady(town: TownLocation, context: CommandContext): Promise<boolean> {
  try {
    const api: Api = openApi({ cwd: context.cwd, env: {}, townOption: town.directory }, "town-up");
    return (await api.send({ method: "GET", path: "/readyz", timeoutMs: 2000 })).status === 200;
  } catch (error) {
    if (error instanceof CliError) return false;
    throw error;
  }
}

function died({ daemon, logPath, logStart }: Start): CliError {
  const error = lastError(readFileSync(logPath).subarray(logStart).toString());
  return new CliError(
    EXIT.failed,
    "DaemonDied",
    `the daemon ended at its start with exit code ${daemon.exitCode()}${error === "" ? "" : `:\n${error}`}`,
    `the whole log is ${logPath}`,
  );
}

const WORST = new Set<unknown>(["error", "fatal", 50, 60]);

/** What a log says went wrong: its last lines that are no records (what a dying program prints), else its last error record. */
export function lastError(log: string): string {
  const lines = plainText(log)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const plain = lines.filter((line) => recordOf(line) === undefined);
  if (plain.length > 0) return plain.slice(-15).join("\n");
  const worst = lines.map(recordOf).findLast((record) => record !== undefined && WORST.has(record.level));
  return [worst?.msg, worst?.err?.message].filter((text) => text !== undefined && text !== "").join(": ");
}

/** A record of the daemon's log, one JSON object a line. */
interface LogRecord {
  readonly level?: unknown;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
}

function recordOf(line: string): LogRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return undefined;
  }
}
