import { spawn } from "node:child_process";

export interface ScriptResult {
  /** 128 + n when signal n ended it, as shells say. */
  readonly exitCode: number;
  /** Last part of its output. */
  readonly tail: string;
}

const TAIL_CHARACTERS = 4_000;
const DRAIN_MS = 300;
const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
};

/** Runs a program without input; its output goes to `print` as it comes. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly input?: string;
    readonly print: (text: string) => void;
  },
): Promise<ScriptResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { cwd: options.cwd, env: { ...options.env }, stdio: "pipe" });
    let tail = "";
    const take = (text: string): void => {
      tail = (tail + text).slice(-TAIL_CHARACTERS);
      options.print(text);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", reject);
    const end = (code: number | null, signal: string | null): void =>
      resolve({ exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0), tail });
    child.on("close", end);
    // Something it left in the background may hold the pipes for ever: what has not come by then is not waited for.
    child.on("exit", (code, signal) => setTimeout(() => end(code, signal), DRAIN_MS));
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}
