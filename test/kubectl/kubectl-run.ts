import { type ChildProcess, spawn } from "node:child_process";
import { expect } from "vitest";

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** kubectl is interrupted (Ctrl-C) once its output is so. */
  readonly untilOutput?: (out: string) => boolean;
}

/** A kubectl that was started and goes on by itself. */
export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Outcome>;
  /** What it printed so far. */
  out(): string;
  isRunning(): boolean;
}

const LIMIT_MS = 150_000;

/** One kubectl program with its environment. Each run is ended after 150 s. */
export class Kubectl {
  readonly #path: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(path: string, env: Readonly<Record<string, string>>) {
    this.#path = path;
    this.#env = env;
  }

  start(args: readonly string[], { input, env, cwd, untilOutput }: RunOptions = {}): Running {
    const child = spawn(this.#path, args, {
      env: { ...this.#env, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
    });
    let out = "";
    let err = "";
    const timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
    child.stdout.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (untilOutput?.(out) === true) child.kill("SIGINT");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      err += chunk.toString();
    });
    const done = new Promise<Outcome>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(timer);
        resolve({ code, out, err });
      });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input ?? "");
    return { child, done, out: () => out, isRunning: () => child.exitCode === null && child.signalCode === null };
  }

  run(args: readonly string[], options?: RunOptions): Promise<Outcome> {
    return this.start(args, options).done;
  }

  /** Its output; fails the test unless it ends with 0. */
  async ok(args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, out, err } = await this.run(args, options);
    expect(code, `kubectl ${args.join(" ")}\n${out}\n${err}`).toBe(0);
    return out;
  }

  /** What it complains about; fails the test if it ends with 0. */
  async refused(args: readonly string[], options?: RunOptions): Promise<string> {
    const { code, out, err } = await this.run(args, options);
    expect(code, `kubectl ${args.join(" ")}\n${out}\n${err}`).not.toBe(0);
    return err;
  }
}

/** A table as kubectl prints it: rows of cells. */
export function cells(text: string): readonly (readonly string[])[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
}
