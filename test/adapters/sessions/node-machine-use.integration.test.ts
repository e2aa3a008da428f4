import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { nodeMachineUse } from "../../../src/adapters/sessions/node-machine-use.ts";
import type { IdentitySource } from "../../../src/adapters/process-identity.ts";
import { systemClock } from "../../../src/adapters/system-clock.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { startedGroups } from "../../started-groups.ts";
import { until } from "./real-programs.ts";

const sources: readonly IdentitySource[] = process.platform === "linux" ? ["proc", "ps"] : ["ps"];
const started = startedGroups();

/** A shell, leader of a group of its own, whose child does the work and whose pid is printed when it runs. */
async function tree(script: string): Promise<{ readonly root: number; readonly child: number }> {
  const shell = spawn("/bin/sh", ["-c", `"$0" -e '${script}' & echo $!; wait`, process.execPath], {
    detached: true,
    stdio: ["ignore", "pipe", "ignore"],
  });
  started.push(shell);
  const child = await new Promise<string>((resolve) =>
    shell.stdout.once("data", (text: Buffer) => resolve(String(text))),
  );
  return { root: shell.pid ?? 0, child: Number(child) };
}

describe.each(sources)("what processes take of this machine, by %s", (source) => {
  it("given a busy tree and an idle one, when read until it shows, then the busy one takes processor time, and both memory", async () => {
    const busy = await tree("for (;;) ;");
    const idle = await tree("setInterval(() => {}, 1000)");
    const machine = nodeMachineUse({ ...systemClock, monotonicMs: faster(20) }, source);
    // ps of Linux counts whole seconds: it takes some until one is full.
    const reading = await until("the busy tree to show", async () => {
      const seen = await machine.read();
      return (seen.treeOf(busy.root)?.cpuMilli ?? 0) > 0 && seen;
    });
    // A Node process takes tens of MiB; the shell alone takes a few.
    expect(reading.treeOf(idle.root)?.memoryBytes).toBeGreaterThan(15 * 1024 ** 2);
    expect(reading.treeOf(idle.root)?.memoryBytes).toBeGreaterThan(reading.treeOf(idle.child)?.memoryBytes ?? Infinity);
    expect(reading.machine.memoryBytes).toBeLessThan(reading.totalMemoryBytes);
    expect(reading.treeOf(2 ** 22 + 1)).toBeUndefined();
  });
});

describe("readings", () => {
  it("given several who ask, when together or shortly after each other, then they share one reading; a later one is new", async () => {
    let now = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => now, sleep: () => Promise.resolve() };
    const machine = nodeMachineUse(clock);
    const [first, second] = await Promise.all([machine.read(), machine.read()]);
    expect(second).toBe(first);
    now += 2_000;
    expect(await machine.read()).toBe(first);
    now += 2_000;
    const later = await machine.read();
    expect(later).not.toBe(first);
    expect(later.windowMs).toBe(4_000);
  });
});

/** Readings grow old at once, so that each look is a new one; windows are as long as they are. */
function faster(factor: number): () => number {
  return () => systemClock.monotonicMs() * factor;
}
