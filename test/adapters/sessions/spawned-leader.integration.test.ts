import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { processTable } from "../../../src/adapters/process-identity.ts";
import { spawnedLeader } from "../../../src/adapters/sessions/spawned-leader.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";

const table = processTable(process.platform === "linux" ? "proc" : "ps");
const identify = (pid: number) => table.identify(pid);
const child = (script: string) => spawn("/bin/sh", ["-c", script], { stdio: "ignore" });

/** This process does not run, as on a machine that does too much at once. */
const stand = (ms: number): string => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

test("given a child that ended before it could be asked for, when nobody has collected it yet, then it has ended", async () => {
  const short = child("exit 3");
  stand(300);
  expect(await identify(short.pid ?? 0)).toBeUndefined();
  expect(process.kill(short.pid ?? 0, 0)).toBe(true);
  expect(await spawnedLeader(short, identify, systemClock)).toBe("Ended");
  expect(short.exitCode).toBe(3);
});

test("given a child that lives, when asked for, then it is told by its start, or as one whose start is not told", async () => {
  const long = child("exec sleep 600");
  try {
    expect(await spawnedLeader(long, identify, systemClock)).toMatchObject({ pid: long.pid });
    const now = { sleep: () => Promise.resolve() };
    expect(await spawnedLeader(long, async () => undefined, now)).toBe("Untold");
  } finally {
    long.kill("SIGKILL");
  }
});
