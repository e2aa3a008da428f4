import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import type { Repository, TreeEntry } from "../../src/ports/git.ts";
import { benchEnvironment } from "./bench-git.ts";

/**
 * `npx tsx test/bench/git.bench.ts`: what Town's way of using git costs, as ratios to a floor measured in the same run
 * (the git program doing the same by its own commands, with its own settings, which sync less). Medians; `x` below 1 is faster than the floor.
 */
const root = mkdtempSync(join(tmpdir(), "town-git-bench-"));
const environment = benchEnvironment(root);
const git = new NodeGit({ environment });
const who = { name: "a", email: "a@x" };
const items = 10_000;

function sh(cwd: string, ...args: string[]): string {
  return execFileSync("git", ["-c", "gc.auto=0", "-c", "maintenance.auto=false", ...args], {
    cwd,
    env: environment,
    encoding: "utf8",
  }).trim();
}

async function median(rounds: number, work: (round: number) => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work(round);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

function report(what: string, ms: number, floor: string, floorMs: number): void {
  console.log(
    `${what.padEnd(58)} ${ms.toFixed(2).padStart(9)} ms   ${(ms / floorMs).toFixed(2).padStart(7)} x ${floor} (${floorMs.toFixed(2)} ms)`,
  );
}

/** A store of `items` records in 256 directories, and a way to commit new versions of some of them. */
class Records {
  readonly #repository: Repository;
  readonly #shards = Array.from({ length: 256 }, () => new Map<string, TreeEntry>());
  readonly #trees = new Map<number, TreeEntry>();
  #head: string | null = null;
  #version = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async commit(count: number): Promise<void> {
    const { objects } = this.#repository;
    const touched = new Set<number>();
    for (let i = 0; i < count; i++) {
      const item = (this.#version++ * 7919) % items;
      const shard = item % 256;
      const id = await objects.writeBlob(
        `${JSON.stringify({ id: `api-${item}`, version: this.#version, text: "x".repeat(550) })}\n`,
      );
      this.#shards[shard]?.set(`${item}.json`, { mode: "100644", name: `${item}.json`, id });
      touched.add(shard);
    }
    for (const shard of touched) {
      const id = await objects.writeTree([...(this.#shards[shard]?.values() ?? [])]);
      this.#trees.set(shard, { mode: "040000", name: shard.toString(16).padStart(2, "0"), id });
    }
    const tree = await objects.writeTree([...this.#trees.values()]);
    const commit = await objects.writeCommit({
      tree,
      parents: this.#head === null ? [] : [this.#head],
      message: "m",
      author: who,
      committer: who,
    });
    if (!(await this.#repository.updateRefs([{ ref: "refs/heads/town/work", to: commit, from: this.#head }], "flush")))
      throw new Error("lost a race with nobody");
    this.#head = commit;
  }
}

async function commits(): Promise<void> {
  const records = new Records(await git.init(join(root, "graph.git"), { bare: true, branch: "main" }));
  const load = await median(1, () => records.commit(items));
  const checkout = join(root, "floor");
  sh(root, "init", "-q", checkout);
  const floorCommit = (count: number) => (round: number) => {
    for (let i = 0; i < count; i++) {
      mkdirSync(join(checkout, `${i % 256}`), { recursive: true });
      writeFileSync(join(checkout, `${i % 256}`, `${i}.json`), `${round} ${i} ${"x".repeat(550)}\n`);
    }
    sh(checkout, "add", "-A");
    sh(checkout, "commit", "-q", "-m", `${round}`);
  };
  const floorLoad = await median(1, () => floorCommit(items)(0));
  report(`first commit of ${items} records, durable`, load, "git add + commit", floorLoad);
  for (const count of [1, 100]) {
    const ours = await median(count === 1 ? 40 : 12, () => records.commit(count));
    const floor = await median(7, (round) => floorCommit(count)(round + 1));
    report(`commit of ${count} record(s) in ${items}, durable`, ours, "git add + commit", floor);
  }
  const repository = await git.open(join(root, "graph.git"));
  const pack = await median(1, () => repository?.objects.packOwn({ minimum: 1 }));
  report("pack what was written", pack, "git gc", await median(1, () => sh(checkout, "gc", "-q")));
}

async function merges(): Promise<void> {
  const repository = await git.init(join(root, "merge"), { bare: false, branch: "main" });
  for (let i = 0; i < 500; i++) {
    mkdirSync(join(repository.path, `d${i % 20}`), { recursive: true });
    writeFileSync(join(repository.path, `d${i % 20}`, `f${i}`), `${i}\n`.repeat(100));
  }
  const base = (await repository.commitAll(repository.path, "base", who, who)) ?? "";
  const heads: string[] = [];
  for (let i = 0; i < 40; i++) {
    writeFileSync(join(repository.path, `d${i % 20}`, `f${i}`), `changed ${i}\n`.repeat(100));
    heads.push((await repository.commitAll(repository.path, `${i}`, who, who)) ?? "");
    await repository.resetWorktree(repository.path, base);
  }
  const [first = "", ...others] = heads;
  const floor = await median(30, (i) =>
    sh(repository.path, "merge-tree", "--write-tree", first, others[i % others.length] ?? ""),
  );
  report(
    "mergeTree of two branches",
    await median(30, (i) => repository.mergeTree(first, others[i % others.length] ?? "")),
    "git merge-tree",
    floor,
  );
  const all = await median(5, () => Promise.all(others.map((one) => repository.mergeTree(first, one))));
  report(`mergeTree of ${others.length} branches asked at once, each`, all / others.length, "git merge-tree", floor);
  report(
    "resolve a ref",
    await median(200, () => repository.resolve("refs/heads/main")),
    "git rev-parse",
    await median(20, () => sh(repository.path, "rev-parse", "main")),
  );
  report(
    "status of a checkout of 500 files",
    await median(20, () => repository.worktreeStatus(repository.path)),
    "git status",
    await median(20, () => sh(repository.path, "status", "--porcelain")),
  );
  await worktrees(repository);
}

async function worktrees(repository: Repository): Promise<void> {
  const at = (name: string) => join(root, "w", name);
  const floor = await median(10, (i) =>
    sh(repository.path, "worktree", "add", "-q", "-b", `floor/${i}`, at(`floor${i}`)),
  );
  report(
    "addWorktree, one",
    await median(10, (i) => repository.addWorktree({ path: at(`one${i}`), commit: "HEAD", branch: `one/${i}` })),
    "git worktree add",
    floor,
  );
  const many = await median(1, () =>
    Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        repository.addWorktree({ path: at(`many${i}`), commit: "HEAD", branch: `many/${i}` }),
      ),
    ),
  );
  report("addWorktree, 50 at once, each", many / 50, "git worktree add", floor);
  report(
    "addWorktree of one that is there",
    await median(20, () => repository.addWorktree({ path: at("one0"), commit: "HEAD", branch: "one/0" })),
    "git worktree add",
    floor,
  );
}

try {
  await commits();
  await merges();
} finally {
  await git.close();
  rmSync(root, { recursive: true, force: true });
}
