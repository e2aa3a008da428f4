import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runTurn } from "../../src/turn-runner/run-turn.ts";

const sh = (script: string, limitMs?: number): ReturnType<typeof runTurn> =>
  runTurn(["/bin/sh", "-c", script], { limitMs, print: () => undefined });

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
    expect(await runTurn(["/no/such/program"], { limitMs: undefined, print: () => undefined })).toMatchObject({
      exitCode: 127,
    });
  });

  it("given a program that hangs, when its time is over, then it is ended, and what it printed is kept", async () => {
    expect(await sh("echo begun; exec sleep 600", 300)).toEqual({ exitCode: 124, output: "begun\n", hung: true });
  });

  it.skipIf(process.platform !== "linux")(
    "given a turn that hangs in what it has started, when its time is over, then all of it is ended, and nothing else",
    async () => {
      const before = spawn("sleep", ["600"], { stdio: "ignore" });
      // A child, one whose parent is gone, one in a process session of its own, and one that does not mind SIGTERM.
      const script = [
        "sleep 601 & echo $!",
        "( sleep 602 & echo $! )",
        "setsid sh -c 'echo $$; exec sleep 603' &",
        "sh -c 'trap : TERM; echo $$; while :; do sleep 0.1; done' &",
        "wait",
      ].join("\n");
      const { output, ...ended } = await runTurn(["/bin/sh", "-c", script], {
        limitMs: 1_500,
        graceMs: 300,
        print: () => undefined,
      });
      expect(ended).toEqual({ exitCode: 124, hung: true });
      const pids = output.trim().split("\n").map(Number);
      expect(pids).toHaveLength(4);
      expect(pids.filter(lives)).toEqual([]);
      expect(lives(before.pid ?? 0)).toBe(true);
      before.kill("SIGKILL");
    },
  );

  it("given something that it left in the background, when the turn ends, then nobody waits for that", async () => {
    expect(await sh("sleep 600 & echo $!", 60_000).then(({ output }) => process.kill(Number(output), "SIGKILL"))).toBe(
      true,
    );
  });
});
