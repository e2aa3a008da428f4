import { currentDirectory } from "./current-directory.ts";
import { requestId } from "./request-id.ts";
import { join } from "node:path";
import { openApi } from "./connection/open-api.ts";
import type { Api } from "./connection/api.ts";
import { EXIT } from "./exit-codes.ts";
import { runProgram, type BareContext } from "./program.ts";
import { processPrograms } from "./process-programs.ts";
import { processStreams } from "./process-streams.ts";
import { VERSION_TEXT } from "./version.ts";

/** The whole command line, for this process: sets its exit code. Called by the bundle's first stage. */
export async function main(argv: readonly string[]): Promise<void> {
  const interrupt = new AbortController();
  process.once("SIGINT", () => {
    interrupt.abort();
    // A second Ctrl-C ends the process even if a command does not react to the first.
    process.once("SIGINT", () => process.exit(EXIT.interrupted));
  });
  const surroundings = { cwd: currentDirectory(), env: process.env };
  const context: BareContext = {
    ...surroundings,
    streams: processStreams(),
    programs: processPrograms,
    distDirectory: join(__dirname, ".."),
    signal: interrupt.signal,
    now: () => Date.now(),
    requestId,
    sleep: (ms) => sleep(ms, interrupt.signal),
  };
  const makeApi = (townOption: string | undefined): (() => Api) => {
    let api: Api | undefined;
    return () => (api ??= openApi({ ...surroundings, townOption }, `town/${VERSION_TEXT}`));
  };
  process.exitCode = await runProgram(argv, context, makeApi);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      const error = new Error("interrupted");
      error.name = "AbortError";
      reject(error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
