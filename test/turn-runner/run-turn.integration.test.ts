import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { TurnResult } from "../../src/turn-runner/turn-loop.ts";
import { startedGroups } from "../started-groups.ts";

interface Ended {
  readonly result: TurnResult;
  /** Runs in the turn's group since before it. */
  readonly before: number;
}

const started = startedGroups();

/**
 * In a group of its own, as in a session: a turn that hangs is ended with everything that came into its group, and here
 * that could be the worker of the next test file.
 */
async function turn(command: readonly string[], limits: { limitMs?: number; graceMs?: number } = {}): Promise<Ended> {
  const { limitMs = "", graceMs = "" } = limits;
  const script = join(import.meta.dirname, "turn-process.ts");
  const args = ["--import", "tsx", script, String(limitMs), String(graceMs), ...command];
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const [printed] = await Promise.all([text(child.stdout), once(child, "exit")]);
  return JSON.parse(printed) as Ended;
}

const sh = async (script: string, limitMs: number): Promise<TurnResult> =>
  (await turn(["/bin/sh", "-c", script], { limitMs })).result;

/** Zombies do nothing any more. */
function lives(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

describe("one turn of a real program", () => {
  it("given a program that ends, when run, then its exit code and what it printed come back", async () => {
    expect(await sh("echo hello; exit 3", 60_000)).toEqual({ exitCode: 3, output: "hello\n" });
    expect((await turn(["/no/such/program"])).result).toMatchObject({ exitCode: 127 });
  });

  it("given a program that hangs, when its time is over, then it is ended, and what it printed is kept", async () => {
    expect(await sh("echo begun; exec sleep 600", 300)).toEqual({ exitCode: 124, output: "begun\n", hung: true });
  });

  it.skipIf(process.platform !== "linux")(
    "given a turn that hangs in what it has started, when its time is over, then all of it is ended, and nothing else",
    async () => {
      // A child, one whose parent is gone, one in a process session of its own, and one that does not mind SIGTERM.
      const script = [
        "sleep 601 & echo $!",
        "( sleep 602 & echo $! )",
        "setsid sh -c 'echo $$; exec sleep 603' &",
        "sh -c 'trap : TERM; echo $$; while :; do sleep 0.1; done' &",
        "wait",
      ].join("\n");
      const { result, before } = await turn(["/bin/sh", "-c", script], { limitMs: 1_500, graceMs: 300 });
      const { output, ...ended } = result;
      expect(ended).toEqual({ exitCode: 124, hung: true });
      const pids = output.trim().split("\n").map(Number);
      expect(pids).toHaveLength(4);
      expect(pids.filter(lives)).toEqual([]);
      expect(lives(before)).toBe(true);
    },
  );

  it("given something that it left in the background, when the turn ends, then nobody waits for that", async () => {
    const { output } = await sh("sleep 600 & echo $!", 60_000);
    expect(process.kill(Number(output), "SIGKILL")).toBe(true);
  });
});
