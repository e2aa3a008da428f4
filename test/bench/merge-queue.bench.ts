import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { QueueSite } from "../kinds/merge-request/queue-site.ts";

// Requests per minute through a gate that takes a second, one at a time and in batches, and runs of the gate for one
// culprit in a batch. The floor is the gate alone, measured in the same run.
const GATE = "sleep 1; ! grep -q BAD *.txt";
const REQUESTS = 16;

interface Measured {
  readonly perMinute: number;
  readonly runs: number;
  readonly moves: number;
}

async function measure(maxBatch: number, culprits: readonly number[]): Promise<Measured> {
  const queue = await QueueSite.make(GATE, { maxBatch });
  try {
    for (let index = 1; index <= REQUESTS; index += 1)
      await queue.submit(`api-${index}`, { [`${index}.txt`]: culprits.includes(index) ? "BAD\n" : "good\n" });
    const started = performance.now();
    await queue.settle();
    const minutes = (performance.now() - started) / 60_000;
    const done = REQUESTS - culprits.length;
    for (let index = 1; index <= REQUESTS; index += 1)
      if (queue.state(`api-${index}`) !== (culprits.includes(index) ? "open" : "closed"))
        throw new Error(`api-${index} is ${queue.state(`api-${index}`)}`);
    return { perMinute: done / minutes, runs: queue.gateRuns, moves: queue.moves() };
  } finally {
    await queue.end();
  }
}

const started = performance.now();
spawnSync("/bin/sh", ["-c", "sleep 1"]);
const floor = 60_000 / (performance.now() - started);
const line = (name: string, { perMinute, runs, moves }: Measured): void => {
  const ratio = (perMinute / floor).toFixed(2);
  process.stdout.write(
    `${name.padEnd(34)} ${perMinute.toFixed(1).padStart(7)} merges/min  x${ratio} of the bare gate  ${runs} gate runs  ${moves} moves of the target\n`,
  );
};

process.stdout.write(`${REQUESTS} requests, a gate of 1 s; the bare gate runs ${floor.toFixed(1)} times a minute\n`);
line("one at a time", await measure(1, []));
line("batches of up to 8", await measure(8, []));
line("batches of up to 16", await measure(16, []));
line("up to 16, one culprit", await measure(16, [11]));
line("up to 8, two culprits", await measure(8, [3, 12]));
line("one at a time, two culprits", await measure(1, [3, 12]));
