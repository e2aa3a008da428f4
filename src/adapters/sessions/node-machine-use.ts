import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import type { Clock } from "../../ports/clock.ts";
import type { MachineReading, MachineUse, Use } from "../../ports/machine-use.ts";
import type { IdentitySource } from "../process-identity.ts";
import { type ProcessTimes, readProcessTimes } from "./process-times.ts";

/** A reading serves everybody who asks within this time. */
const FRESH_MS = 3_000;
/** Between the two looks of a first reading. */
const FIRST_WINDOW_MS = 250;
/** An older look says nothing about now. */
const OLDEST_MS = 60_000;

interface Look {
  readonly monotonicMs: number;
  readonly machineCpuMs: number;
  readonly processes: ReadonlyMap<number, ProcessTimes>;
}

/** This machine. Nothing is read, and nothing kept fresh, unless somebody asks. */
export function nodeMachineUse(
  clock: Clock,
  source: IdentitySource = process.platform === "linux" ? "proc" : "ps",
): MachineUse {
  let last: Look | undefined;
  let reading: Promise<MachineReading> | undefined;
  let freshUntilMs = 0;
  const look = async (): Promise<Look> => ({
    monotonicMs: clock.monotonicMs(),
    machineCpuMs: machineCpuMs(),
    processes: await readProcessTimes(source),
  });
  const readNow = async (): Promise<MachineReading> => {
    let before = last;
    if (before === undefined || clock.monotonicMs() - before.monotonicMs > OLDEST_MS) {
      before = await look();
      await clock.sleep(FIRST_WINDOW_MS);
    }
    const now = await look();
    last = now;
    freshUntilMs = now.monotonicMs + FRESH_MS;
    return readingOf(before, now, clock.now());
  };
  return {
    processors: availableParallelism(),
    totalMemoryBytes: totalmem(),
    async read() {
      if (reading === undefined || clock.monotonicMs() >= freshUntilMs) {
        freshUntilMs = Number.POSITIVE_INFINITY;
        reading = readNow();
        reading.catch(() => {
          freshUntilMs = 0;
        });
      }
      return await reading;
    },
  };
}

/** Time that all processors worked since the machine started, ms. */
function machineCpuMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}

function readingOf(before: Look, now: Look, atMs: number): MachineReading {
  const windowMs = Math.max(1, now.monotonicMs - before.monotonicMs);
  const milli = (cpuMs: number): number => Math.max(0, Math.round((cpuMs / windowMs) * 1_000));
  const children = new Map<number, ProcessTimes[]>();
  const led = new Map<number, ProcessTimes[]>();
  for (const row of now.processes.values()) {
    children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
    for (const leader of new Set([row.group, row.session ?? row.group]))
      if (leader !== row.pid) led.set(leader, [...(led.get(leader) ?? []), row]);
  }
  // One that started within the window has used all of its time in it.
  const cpuMsOf = ({ pid, cpuMs }: ProcessTimes): number =>
    cpuMs - Math.min(cpuMs, before.processes.get(pid)?.cpuMs ?? 0);
  return {
    atMs,
    windowMs,
    machine: {
      cpuMilli: milli(now.machineCpuMs - before.machineCpuMs),
      memoryBytes: Math.max(0, totalmem() - freemem()),
    },
    processors: availableParallelism(),
    totalMemoryBytes: totalmem(),
    treeOf: (pid) => {
      const root = now.processes.get(pid);
      if (root === undefined) return undefined;
      const tree = membersOf(root, children, led);
      return {
        cpuMilli: milli(tree.reduce((sum, row) => sum + cpuMsOf(row), 0)),
        memoryBytes: tree.reduce((sum, row) => sum + row.memoryBytes, 0),
      } satisfies Use;
    },
  };
}

function membersOf(
  root: ProcessTimes,
  children: ReadonlyMap<number, readonly ProcessTimes[]>,
  led: ReadonlyMap<number, readonly ProcessTimes[]>,
): readonly ProcessTimes[] {
  const found = new Map([[root.pid, root]]);
  const waiting = [root, ...(led.get(root.pid) ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.set(next.pid, next);
    for (const child of children.get(next.pid) ?? []) if (!found.has(child.pid)) waiting.push(child);
  }
  return [...found.values()];
}
