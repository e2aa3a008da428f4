import { execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import type { Detached, Programs } from "./context.ts";
import { CliError, EXIT } from "./exit-codes.ts";

const run: Programs["run"] = (command, options = {}) =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = command;
    const child = spawn(program, args, { stdio: "inherit", cwd: options.cwd, env: options.env ?? process.env });
    // A terminal sends Ctrl-C to the child as well; only signals that came to this process alone are passed on.
    const forward = (signal: NodeJS.Signals): void => {
      if (options.forwardSignals === true && !(signal === "SIGINT" && process.stdin.isTTY === true)) child.kill(signal);
    };
    const ignored: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
    for (const signal of ignored) process.on(signal, forward);
    const finish = (): void => {
      for (const signal of ignored) process.off(signal, forward);
    };
    child.once("error", (error) => {
      finish();
      reject(new CliError(EXIT.failed, "ProgramMissing", `Cannot run ${program}: ${error.message}`, undefined, error));
    });
    child.once("close", (code, signal) => {
      finish();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });

const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

const output: Programs["output"] = (command, { cwd }) =>
  new Promise((resolve, reject) => {
    const [program = "", ...args] = command;
    execFile(program, args, { cwd, maxBuffer: MOST_OUTPUT_BYTES }, (error, out, err) => {
      if (error === null) resolve({ exitCode: 0, out, err });
      else if (typeof error.code === "number") resolve({ exitCode: error.code, out, err });
      else
        reject(
          new CliError(EXIT.failed, "ProgramMissing", `Cannot run ${program}: ${error.message}`, undefined, error),
        );
    });
  });

function startDetached(command: readonly string[], options: Parameters<Programs["startDetached"]>[1]): Detached {
  const [program = "", ...args] = command;
  const log = openSync(options.logPath, "a", 0o600);
  let exitCode: number | undefined;
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: options.cwd,
    env: options.env,
  });
  closeSync(log);
  child.once("error", () => {
    exitCode = 127;
  });
  child.once("exit", (code, signal) => {
    exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
  child.unref();
  return { pid: child.pid ?? 0, exitCode: () => exitCode };
}

/** Programs started by this process. */
export const processPrograms: Programs = { run, output, startDetached };
