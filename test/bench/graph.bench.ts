import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { createNodeProcesses } from "../../src/adapters/node-processes.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { openGraph } from "../../src/graph/open-graph.ts";
import { silentLog } from "../../src/ports/log.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";

// Usage: npx tsx test/bench/graph.bench.ts [sizes…]   (default 1000 10000 100000)
// Prints medians and, where there is one, the ratio to a floor measured in the same run on the same disk.

const author = { actor: "bench" };
const random = seededRandom("bench");

function beads(count: number): readonly BeadRecord[] {
  const records: BeadRecord[] = [];
  for (let i = 0; i < count; i++) {
    const id = `api-${i.toString(36).padStart(6, "0")}`;
    const closed = random.chance(0.6);
    const at = new Date(1_760_000_000_000 + i * 1000).toISOString();
    const edges = [];
    if (i > 20 && random.chance(0.3)) {
      const target = records[closed ? random.below(i) : random.below(i)];
      if (target !== undefined)
        edges.push({ issue_id: id, depends_on_id: target.id, type: random.chance(0.25) ? "blocks" : "related" });
    }
    const parent = records[i - (i % 20)];
    if (i % 20 !== 0 && parent !== undefined && !edges.some(({ depends_on_id: to }) => to === parent.id)) {
      edges.push({ issue_id: id, depends_on_id: parent.id, type: "parent-child" });
    }
    records.push({
      id,
      title: `Bead ${i}: ${random.base36(30)}`,
      description: random.base36(180),
      status: closed && i % 20 !== 0 ? "closed" : "open",
      priority: random.below(5),
      issue_type: "task",
      created_at: at,
      created_by: "bench",
      updated_at: at,
      ...(closed && i % 20 !== 0 ? { closed_at: at, close_reason: "Closed" } : {}),
      labels: [`l${random.below(20)}`],
      ...(edges.length === 0 ? {} : { dependencies: edges }),
    });
  }
  return records;
}

async function timed<T>(work: () => Promise<T> | T): Promise<readonly [T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

async function median(times: number, work: (i: number) => unknown): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push((await timed(() => work(i)))[1]);
  return all.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

/** One append of a record with one fdatasync: the least a durable write can cost here. */
async function appendFloor(directory: string): Promise<number> {
  const handle = await open(join(directory, "floor"), "a");
  const text = `\n${"x".repeat(699)}`;
  const result = await median(300, async () => {
    await handle.appendFile(text);
    await handle.datasync();
  });
  await handle.close();
  return result;
}

function row(what: string, ms: number, floor?: number, target?: string): void {
  const ratio = floor === undefined ? "" : `${(ms / floor).toFixed(2)}x floor`;
  console.log(`  ${what.padEnd(46)} ${ms.toFixed(3).padStart(10)} ms  ${ratio.padEnd(14)} ${target ?? ""}`);
}

async function bench(count: number): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "town-graph-bench-"));
  const git = new NodeGit();
  const files = createNodeFiles();
  const processes = createNodeProcesses();
  const repository = await git.init(join(directory, "repo"), { bare: true, branch: "main" });
  const openStore = (): Promise<GitGraph> =>
    openGraph({
      repository,
      files,
      clock: systemClock,
      random: nodeRandom,
      processes,
      log: silentLog,
      namespace: "api",
      prefix: "api",
    });
  try {
    console.log(`\n${count} beads`);
    const floor = await appendFloor(directory);
    row("floor: append 700 B + fdatasync", floor);
    const records = beads(count);
    const [, parseFloor] = await timed(
      () => records.map((record) => JSON.parse(JSON.stringify(record)) as unknown).length,
    );
    const lines = records.map((record) => JSON.stringify(record));
    const [, jsonFloor] = await timed(() => lines.map((line) => JSON.parse(line) as unknown).length);
    row("floor: JSON.parse of every record", jsonFloor);
    void parseFloor;

    let graph = await openStore();
    const [, imported] = await timed(() => graph.replaceRecords(author, (_here, put) => records.forEach(put)));
    row("import, acknowledged", imported, jsonFloor);
    row("import, on the branch", (await timed(() => graph.flush()))[1], jsonFloor);
    await graph.close();

    const [opened, warm] = await timed(openStore);
    graph = opened;
    row("open with cache", warm, jsonFloor);
    const [, first] = await timed(() => graph.ready({ limit: 20 }));
    row("first ready (evaluates everything)", first);
    row("ready, 20", await median(50, () => graph.ready({ limit: 20 })));
    const [all, freezing] = await timed(() => graph.ready());
    row(`ready, all ${all.length}, freezing them`, freezing);
    row("ready, all", await median(9, () => graph.ready()), undefined, "target < 10 ms at 100k");
    row("list by status and assignee", (await timed(() => graph.list({ status: ["in_progress"], assignee: "a" })))[1]);

    row(
      "create, one at a time",
      await median(200, (i) => graph.transact(author, (tx) => tx.create({ title: `new ${i}` }))),
      floor,
      "target <= 2x",
    );
    const open1 = graph.ready({ limit: 400 }).map(({ id }) => id);
    row(
      "claim, one at a time",
      await median(200, (i) => graph.transact(author, (tx) => tx.claim(open1[i] ?? "", "a"))),
      floor,
      "target <= 2x",
    );
    row(
      "close, one at a time",
      await median(200, (i) => graph.transact(author, (tx) => tx.close(open1[i] ?? "", { force: true }))),
      floor,
      "target <= 2x",
    );
    row(
      "close + ready 20",
      await median(100, async (i) => {
        await graph.transact(author, (tx) => tx.close(open1[200 + i] ?? "", { force: true }));
        graph.ready({ limit: 20 });
      }),
      floor,
    );
    for (const waiting of [1, 10, 50, 500]) {
      const total = 6_000;
      const [, ms] = await timed(() =>
        Promise.all(
          Array.from({ length: waiting }, async (_, lane) => {
            for (let i = lane; i < total; i += waiting)
              await graph.transact(author, (tx) => tx.setMetadata(open1[i % open1.length] ?? "", { n: i }));
          }),
        ),
      );
      console.log(
        `  updates with ${String(waiting).padStart(3)} waiting`.padEnd(48),
        `${Math.round((total / ms) * 1000)}`.padStart(10),
        "/s",
        waiting === 50 ? "           target >= 30,000/s" : "",
      );
    }
    await graph.flush();
    for (const batch of [1, 100]) {
      const spent: number[] = [];
      for (let round = 0; round < 7; round++) {
        const ids = Array.from({ length: batch }, () => random.pick(records).id);
        await graph.transact(author, (tx) => ids.forEach((id) => tx.setMetadata(id, { round, n: random.float() })));
        spent.push((await timed(() => graph.flush()))[1]);
      }
      row(
        `commit of ${batch} changed beads`,
        spent.sort((a, b) => a - b)[3] ?? 0,
        undefined,
        batch === 100 ? "target <= 45 ms at 100k" : "",
      );
    }
    await graph.close();
    await files.removeTree(join(repository.commonDirectory, "town", "cache"));
    const [cold, coldMs] = await timed(openStore);
    row("open without cache", coldMs, jsonFloor);
    await cold.close();
  } finally {
    await git.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((size) => size > 0);
for (const size of sizes.length === 0 ? [1_000, 10_000, 100_000] : sizes) await bench(size);
