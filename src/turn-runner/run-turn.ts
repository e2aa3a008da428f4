import { spawn } from "node:child_process";
import { Offspring } from "../adapters/sessions/offspring.ts";
import { systemClock } from "../adapters/system-clock.ts";
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
 * `limitMs` it is ended with everything that it started (SIGTERM, SIGKILL `graceMs` later). What a turn that ends by
 * itself leaves behind goes on, until the session ends: it stays in the session's group. `TOWN_IN_TURNS` in its environment
 * tells its stop hook that the next turn is told what is new: some programs exit while they call it, and lose the answer.
 */
export async function runTurn(
  command: readonly string[],
  options: {
    readonly limitMs: number | undefined;
    readonly print: (text: string) => void;
    /** Default: 10,000. */
    readonly graceMs?: number;
  },
): Promise<TurnResult> {
  const [program = "", ...args] = command;
  const { limitMs, print, graceMs = KILL_GRACE_MS } = options;
  const offspring = await Offspring.expect(systemClock);
  const { name, value } = offspring.variable;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, [name]: value, TOWN_IN_TURNS: "1" },
    });
    let output = "";
    let hung = false;
    let isOver = false;
    const timers: NodeJS.Timeout[] = [];
    const end = (result: TurnResult): void => {
      for (const timer of timers) clearTimeout(timer);
      resolve(result);
    };
    const atLimit = (): void => {
      hung = true;
      void offspring
        .end(() => (isOver ? undefined : child.pid), { graceMs })
        .catch((error: unknown) => {
          print(`turn-runner: ${messageOf(error)}; only the program itself is ended\n`);
          child.kill("SIGKILL");
        })
        .then(() => end({ exitCode: TIMED_OUT, output, hung }));
    };
    if (limitMs !== undefined) timers.push(setTimeout(atLimit, limitMs));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (output.length < OUTPUT_CHARACTERS) output += text;
      print(text);
    });
    child.on("error", (error) => {
      print(`turn-runner: ${messageOf(error)}\n`);
      end({ exitCode: NOT_FOUND, output });
    });
    child.on("exit", (code) => {
      isOver = true;
      if (hung) return;
      const over = (): void => end({ exitCode: code ?? 1, output });
      child.on("close", over);
      // Something it left in the background may hold the pipe for ever.
      timers.push(setTimeout(over, DRAIN_MS));
    });
  });
}
