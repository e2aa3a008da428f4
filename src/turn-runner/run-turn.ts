import { spawn } from "node:child_process";
import { messageOf } from "../errors/town-error.ts";
import type { TurnResult } from "./turn-loop.ts";

const OUTPUT_CHARACTERS = 64 * 1024;
const NOT_FOUND = 127;
/** As timeout(1). */
const TIMED_OUT = 124;
const KILL_GRACE_MS = 10_000;
/** How long what a program printed last may take to arrive after its end. */
const DRAIN_MS = 1_000;

/**
 * Runs one turn: what it prints is shown as it comes. Its standard input is closed, which some programs wait for. After
 * `limitMs` it is ended (SIGTERM, SIGKILL 10 s later); it stays in the group of the session, with which all else that it
 * started ends.
 */
export function runTurn(
  command: readonly string[],
  options: { readonly limitMs: number | undefined; readonly print: (text: string) => void },
): Promise<TurnResult> {
  const [program = "", ...args] = command;
  const { limitMs, print } = options;
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    let hung = false;
    const timers: NodeJS.Timeout[] = [];
    const end = (result: TurnResult): void => {
      for (const timer of timers) clearTimeout(timer);
      resolve(result);
    };
    if (limitMs !== undefined) {
      timers.push(
        setTimeout(() => {
          hung = true;
          child.kill("SIGTERM");
          timers.push(setTimeout(() => child.kill("SIGKILL"), KILL_GRACE_MS));
        }, limitMs),
      );
    }
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < OUTPUT_CHARACTERS) output += text;
      print(text);
    });
    child.on("error", (error) => {
      print(`turn-runner: ${messageOf(error)}\n`);
      end({ exitCode: NOT_FOUND, output });
    });
    child.on("exit", (code) => {
      const over = (): void => end(hung ? { exitCode: TIMED_OUT, output, hung } : { exitCode: code ?? 1, output });
      child.on("close", over);
      // Something it left in the background may hold the pipe for ever.
      timers.push(setTimeout(over, DRAIN_MS));
    });
  });
}
