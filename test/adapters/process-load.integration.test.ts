import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { NodeProcessLoad } from "../../src/adapters/process-load.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { startedGroups } from "../started-groups.ts";

const started = startedGroups();

/** A first process whose only child is a program that runs this script. */
function session(script: string): number {
  const program = `"$0" -c '${script}' "$0" & wait`;
  const child = spawn("/bin/sh", ["-c", program, "/bin/sh"], { detached: true, stdio: "ignore" });
  started.push(child);
  return child.pid ?? 0;
}

const SPIN = "while :; do :; done";

describe.each(["proc", "ps"] as const)("the load of sessions, by %s", (source) => {
  const isHere = source === "ps" || process.platform === "linux";

  it.runIf(isHere)(
    "given programs that rest, that work themselves, and that have started something, when looked at, then only the last works below",
    async () => {
      const resting = session("sleep 60 & wait");
      const working = session(SPIN);
      const child = session(`( ${SPIN} ) & wait`);
      const load = new NodeProcessLoad(systemClock, source);
      await expect.poll(async () => [...(await load.busyBelow([resting, working, child, 2 ** 22]))]).toEqual([child]);
    },
  );
});

describe.runIf(process.platform === "linux")("the load of sessions", () => {
  it("given a program whose children are many and short, when looked at, then what they used counts", async () => {
    const busy = session("while :; do /bin/true; done");
    const load = new NodeProcessLoad(systemClock, "proc");
    await expect.poll(async () => [...(await load.busyBelow([busy]))]).toEqual([busy]);
  });
});
