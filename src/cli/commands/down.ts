import { processExists, startTimesOf } from "../connection/daemon-process.ts";
import { readEndpoint } from "../connection/town-location.ts";
import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { durationMs } from "../duration.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";
import { requireTown, runningEndpoint } from "./up.ts";

const POLL_MS = 50;
const REMIND_EVERY_MS = 2000;

/** Ends the daemon and waits until it is gone; agents keep running unless --sessions asks to end them first. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const town = requireTown(context);
  const endpoint = runningEndpoint(town);
  if (endpoint === undefined) {
    const former = readEndpoint(town);
    context.streams.out(
      `town ${town.directory} is not up${former === undefined ? "" : ` (pid ${former.pid} is gone)`}\n`,
    );
    return EXIT.done;
  }
  if (isSet(input, "sessions")) {
    const code = printResult(
      await callVerb(context.api(), "down", { sessions: true }, { signal: context.signal }),
      context.streams,
    );
    if (code !== EXIT.done) return code;
  }
  terminate(endpoint.pid);
  const startMs = context.now();
  const timeoutMs = durationMs(textFlag(input, "timeout") ?? "60s", "timeout");
  let remindAtMs = startMs + REMIND_EVERY_MS;
  while (processExists(endpoint.pid) && startTimesOf(endpoint.pid).includes(String(endpoint.startTime))) {
    const now = context.now();
    if (now - startMs > timeoutMs)
      throw new CliError(
        EXIT.timedOut,
        "StopTimedOut",
        `the daemon (pid ${endpoint.pid}) still runs ${timeoutMs / 1000} s after SIGTERM`,
        "wait longer with --timeout, or see its log; `kill -9` loses no acknowledged work",
      );
    if (now >= remindAtMs && context.streams.errIsTerminal) {
      context.streams.err(`waiting for pid ${endpoint.pid} to finish (${Math.round((now - startMs) / 1000)} s)\n`);
      remindAtMs += REMIND_EVERY_MS;
    }
    await context.sleep(POLL_MS);
  }
  context.streams.out(`town ${town.directory} is down\n`);
  return EXIT.done;
}

function terminate(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ESRCH") return;
    throw new CliError(
      EXIT.failed,
      "NotPermitted",
      `Cannot end the daemon (pid ${pid}): ${code}`,
      "run as the user who started it",
      error,
    );
  }
}
