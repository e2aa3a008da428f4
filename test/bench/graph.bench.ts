import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { searchBeads } from "../../src/domain/work-graph/queries/search-beads.ts";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { BenchSite } from "./graph-measures.ts";
import type { Aim } from "./graph-measures.ts";
import {
  appendFloor,
  atLeast,
  atMost,
  author,
  beads,
  benchSite,
  fact,
  gitCommitFloor,
  heapMb,
  load,
  median,
  processMs,
  random,
  row,
  sizeOf,
  timed,
  timesFloor,
} from "./graph-measures.ts";

// Usage: npx tsx test/bench/graph.bench.ts [sizes…]   (default 1000 10000 100000; 1000000 takes minutes and 4 GB)
// Prints medians and, where there is one, the ratio to a floor measured in the same run on the same disk.

async function bench(count: number): Promise<void> {
  const site = await benchSite();
  try {
    console.log(`\n${count} beads (load ${load()})`);
    const floor = await appendFloor(site.directory);
    row("floor: append 700 B + fdatasync", floor);
    const records = beads(count);
    await loading(site, records);
    const repository = await site.repository("repo");
    const before = heapMb();
    const graph = await site.open(repository);
    fact("memory with the cache, closed ones asleep", `${Math.round(heapMb() - before)} MB`);
    await reading(graph);
    await writing(graph, floor);
    await committing(site, graph, records);
    await graph.close();
    if (count <= 100_000) await growing(site);
    if (count === 10_000) await merging(site, records);
    await oneShot(site, count);
  } catch (error) {
    // Tidying up behind a store that is still open may fail too, and would hide this.
    console.error(error);
    process.exitCode = 1;
  } finally {
    await site.close();
  }
}

async function loading(site: BenchSite, records: readonly BeadRecord[]): Promise<void> {
  const lines = records.map((record) => JSON.stringify(record));
  const [, jsonFloor] = await timed(() => lines.map((line) => JSON.parse(line) as unknown).length);
  row("floor: JSON.parse of every record", jsonFloor);
  const repository = await site.repository("repo");
  const open = (): Promise<GitGraph> => site.open(repository);
  const first = await open();
  row("import, acknowledged", (await timed(() => importAll(first, records)))[1], jsonFloor);
  row("import, on the branch", (await timed(() => first.flush()))[1], jsonFloor);
  await first.close();
  const [second, warm] = await timed(open);
  row("open with the cache", warm, jsonFloor);
  await second.close();
  await rm(join(repository.commonDirectory, "town", "cache"), { recursive: true });
  const [cold, coldMs] = await timed(open);
  row("open without", coldMs, jsonFloor);
  await cold.close();
}

/** In parts, as an import is cut. */
async function importAll(graph: GitGraph, records: readonly BeadRecord[]): Promise<void> {
  for (let from = 0; from < records.length; from += 50_000) {
    const part = records.slice(from, from + 50_000);
    await graph.replaceRecords(author, (_here, put) => part.forEach(put));
  }
}

async function reading(graph: GitGraph): Promise<void> {
  row("first ready (evaluates everything)", (await timed(() => graph.ready({ limit: 20 })))[1]);
  row("ready, 20", await median(50, () => graph.ready({ limit: 20 })));
  const [all, freezing] = await timed(() => graph.ready());
  row(`ready, all ${all.length}, freezing them`, freezing);
  row("ready, all", await median(9, () => graph.ready()), undefined, atMost(10));
  row("list by assignee, the first time", (await timed(() => graph.list({ assignee: "a" })))[1]);
  row("list by label", await median(5, () => graph.list({ label: "l7" })));
  const open = graph.list({ status: ["open"] });
  row(`search of ${open.length} open ones`, await median(3, () => searchBeads(open, "bead 77")));
}

async function writing(graph: GitGraph, floor: number): Promise<void> {
  const open = graph.ready({ limit: 400 }).map(({ id }) => id);
  const each = (what: string, work: (id: string) => Promise<unknown>, aim?: Aim) =>
    median(150, (i) => work(open[i] ?? "")).then((ms) => row(what, ms, floor, aim));
  await each("create, one at a time", () => graph.transact(author, (tx) => tx.create({ title: "new" })), timesFloor(2));
  await each("claim, one at a time", (id) => graph.transact(author, (tx) => tx.claim(id, "a")), timesFloor(2));
  await each(
    "close + ready 20",
    async (id) => {
      await graph.transact(author, (tx) => tx.close(id, { force: true }));
      graph.ready({ limit: 20 });
    },
    timesFloor(2),
  );
  for (const writers of [1, 16, 50, 500]) {
    const total = 6_000;
    const lane = async (first: number): Promise<void> => {
      for (let i = first; i < total; i += writers)
        await graph.transact(author, (tx) => tx.setMetadata(open[i % open.length] ?? "", { n: i }));
    };
    const [, ms] = await timed(() => Promise.all(Array.from({ length: writers }, (_, i) => lane(i))));
    const rate = `${Math.round((total / ms) * 1000)} /s`;
    fact(`updates with ${writers} waiting`, rate, writers === 50 ? atLeast(30_000) : undefined);
  }
  await graph.flush();
}

async function committing(site: BenchSite, graph: GitGraph, records: readonly BeadRecord[]): Promise<void> {
  for (const batch of [1, 100]) {
    const floor = await gitCommitFloor(site, batch);
    row(`floor: git add + commit of ${batch} files`, floor);
    const spent: number[] = [];
    for (let round = 0; round < 9; round++) {
      const ids = Array.from({ length: batch }, () => random.pick(records).id);
      await graph.transact(author, (tx) => ids.forEach((id) => tx.setMetadata(id, { round, n: random.float() })));
      spent.push((await timed(() => graph.flush()))[1]);
    }
    const middle = spent.sort((a, b) => a - b)[4] ?? 0;
    row(`commit of ${batch} changed beads`, middle, floor, batch === 100 ? atMost(45) : undefined);
  }
}

/** What 10,000 updates, flushed in hundreds, add to the repository. */
async function growing(site: BenchSite): Promise<void> {
  const updates = 10_000;
  const repository = await site.repository("repo");
  const graph = await site.open(repository, { flushIntervalMs: 3_600_000, flushRecords: 1_000_000 });
  await repository.objects.packOwn({ minimum: 1 });
  const objects = join(repository.commonDirectory, "objects");
  const before = await sizeOf(objects);
  const ids = graph.list({ status: ["open"] }).map(({ id }) => id);
  for (let i = 0; i < updates; i += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, j) =>
        graph.transact(author, (tx) => tx.setMetadata(ids[(i * 7 + j * 13) % ids.length] ?? "", { n: i + j })),
      ),
    );
    await graph.flush();
  }
  const perUpdate = async (): Promise<string> =>
    `${(((await sizeOf(objects)) - before) / updates / 1000).toFixed(3)} kB`;
  fact("growth per update, as written", await perUpdate());
  const [, packing] = await timed(() => graph.packObjects(1));
  fact("growth per update, packed", await perUpdate(), atMost(0.5));
  row("packing it", packing);
  await graph.close();
}

async function merging(site: BenchSite, records: readonly BeadRecord[]): Promise<void> {
  const [left, right] = [await site.repository("left"), await site.repository("right")];
  const ours = await site.open(left, { flushIntervalMs: 3_600_000 });
  await importAll(ours, records);
  let base = (await ours.flush()).commit;
  await right.fetch(left.path, ["+refs/heads/town/work:refs/heads/town/work"]);
  const theirs = await site.open(right, { flushIntervalMs: 3_600_000 });
  for (const changes of [1, 100, 1_000]) {
    for (const [graph, field] of [
      [ours, "notes"],
      [theirs, "design"],
    ] as const) {
      const ids = Array.from({ length: changes }, (_, i) => records[(i * 7) % records.length]?.id ?? "");
      await graph.transact(author, (tx) =>
        ids.forEach((id) => tx.update(id, { [field]: `${changes} ${base}` }, { force: true })),
      );
      base = (await graph.flush()).commit;
    }
    await left.fetch(right.path, ["+refs/heads/town/work:refs/town/bench"]);
    const [, ms] = await timed(async () => {
      await ours.absorb(base);
      base = (await ours.flush()).commit;
    });
    row(`field merge, ${changes} changes a side`, ms);
    await right.fetch(left.path, ["+refs/heads/town/work:refs/town/bench"]);
    await theirs.absorb(base);
    await theirs.flush();
  }
  await Promise.all([ours.close(), theirs.close()]);
}

/** A whole `town bd` process without a daemon. */
async function oneShot(site: BenchSite, count: number): Promise<void> {
  const bin = resolve("dist/bin/town.cjs");
  if (!existsSync(bin)) return console.log("  one-shot commands: run `npm run build` first");
  const { path } = await site.repository("repo");
  const floor = await processMs(["-e", "0"], path);
  row("floor: node -e 0", floor);
  for (const words of [
    ["ready", "--limit", "10"],
    ["list", "--limit", "10"],
    ["show", "api-000001"],
    ["create", "x"],
  ]) {
    const aim = count === 10_000 && words[0] !== "create" ? timesFloor(3) : undefined;
    row(`town bd ${words.join(" ")}`, await processMs([bin, "bd", ...words], path), floor, aim);
  }
}

const sizes = process.argv
  .slice(2)
  .map(Number)
  .filter((size) => size > 0);
for (const size of sizes.length === 0 ? [1_000, 10_000, 100_000] : sizes) await bench(size);
