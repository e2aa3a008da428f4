/**
 * `npx tsx test/bench/sync.bench.ts`: what a write of a desired object costs (one commit on a checked-out branch, files
 * in place, durable), and a sync that follows a commit, as ratios to floors measured in the same run: `git add` with
 * `git commit`, and the durable replacement of one small file.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, mkdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { pool, poolText, RIG, SyncTown } from "../sync/sync-site.ts";

const OBJECTS = 200;
const ROUNDS = 40;
const root = realpathSync(mkdtempSync(join(tmpdir(), "town-bench-sync-")));
const environment = {
  PATH: process.env["PATH"] ?? "",
  HOME: root,
  GIT_CONFIG_GLOBAL: join(root, "gitconfig"),
  GIT_CONFIG_NOSYSTEM: "1",
};
const git = new NodeGit({ environment });

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function timed(work: () => Promise<unknown> | void): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function rounds(work: (round: number) => Promise<unknown> | void): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push(await timed(() => work(round)));
  return median(times.slice(5));
}

try {
  mkdirSync(join(root, "town"));
  writeFileSync(environment.GIT_CONFIG_GLOBAL, "[user]\n\tname = Bench\n\temail = bench@example.org\n");
  const files = createNodeFiles();
  const town = await SyncTown.make({ git, files, clock: systemClock, base: root }, "town");
  const pools = Array.from({ length: OBJECTS }, (_, at) => [`pools/p${at}.yaml`, poolText(`p${at}`)] as const);
  await town.commit({ "rig.yaml": RIG, ...Object.fromEntries(pools) });
  await town.settle();
  const sh = (...args: readonly string[]): void =>
    void execFileSync("git", [...args], { cwd: town.root, env: environment, stdio: "ignore" });

  const file = await rounds((round) => files.writeAtomic(join(root, "floor"), `${round}\n`, { mode: 0o600 }));
  const porcelain = await rounds((round) => {
    writeFileSync(join(town.root, "manifests/pools/p1.yaml"), poolText("p1", 100 + (round % 50)));
    sh("add", "--all");
    sh("commit", "--quiet", "--message", "bench");
  });
  const afterCommit = await rounds(async (round) => {
    await town.commit({ "pools/p2.yaml": poolText("p2", 100 + (round % 50)) });
    return town.sync();
  });
  const commitAlone = await rounds((round) => town.commit({ "pools/p3.yaml": poolText("p3", 100 + (round % 50)) }));
  await town.settle();
  const write = await rounds((round) => town.edit(pool("p4"), { replicas: 100 + (round % 50) }));
  const still = await rounds(() => town.sync());
  const together = await timed(() =>
    Promise.all(Array.from({ length: 100 }, (_, at) => town.edit(pool(`p${at + 5}`), { replicas: 7 }))),
  );

  const row = (name: string, ms: number): void =>
    console.log(
      `${name.padEnd(46)}${ms.toFixed(2).padStart(9)} ms ${(ms / porcelain).toFixed(2).padStart(7)} × git ${(ms / file).toFixed(1).padStart(7)} × file`,
    );
  console.log(`${OBJECTS} objects in as many files; median of ${ROUNDS - 5}`);
  row("floor: one small file, replaced durably", file);
  row("floor: git add and git commit", porcelain);
  row("a write, committed and shown in the API", write);
  row("100 writes together, each", together / 100);
  row("a sync after a commit by hand", afterCommit - commitAlone);
  row("a sync without a change", still);
} finally {
  await git.close();
  rmSync(root, { recursive: true, force: true });
}
