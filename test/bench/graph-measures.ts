import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, open, readdir, rm, stat } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import type { OpenGraphOptions } from "../../src/graph/open-graph.ts";
import type { Repository } from "../../src/ports/git.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { openRealGraph } from "../graph/real-graph-parts.ts";
import { benchEnvironment } from "./bench-git.ts";

export const random = seededRandom("bench");
export const author = { actor: "bench" };

/** Beads like those of a real project: 60 % closed, a tenth of the open ones blocked, parents in chains of twenty. */
export function beads(count: number): readonly BeadRecord[] {
  const records: BeadRecord[] = [];
  for (let i = 0; i < count; i++) {
    const id = `api-${i.toString(36).padStart(6, "0")}`;
    const closed = random.chance(0.6) && i % 20 !== 0;
    const at = new Date(1_760_000_000_000 + i * 1000).toISOString();
    const edges = [];
    const target = i > 20 && random.chance(0.3) ? records[random.below(i)] : undefined;
    if (target !== undefined)
      edges.push({ issue_id: id, depends_on_id: target.id, type: random.chance(0.25) ? "blocks" : "related" });
    const parent = records[i - (i % 20)];
    if (i % 20 !== 0 && parent !== undefined && parent.id !== target?.id)
      edges.push({ issue_id: id, depends_on_id: parent.id, type: "parent-child" });
    records.push({
      id,
      title: `Bead ${i}: ${random.base36(30)}`,
      description: random.base36(180),
      status: closed ? "closed" : "open",
      priority: random.below(5),
      issue_type: "task",
      created_at: at,
      created_by: "bench",
      updated_at: at,
      ...(closed ? { closed_at: at, close_reason: "Closed" } : {}),
      labels: [`l${random.below(20)}`],
      ...(edges.length === 0 ? {} : { dependencies: edges }),
    });
  }
  return records;
}

export async function timed<T>(work: () => Promise<T> | T): Promise<readonly [T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, performance.now() - start];
}

export async function median(times: number, work: (i: number) => unknown): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) all.push((await timed(() => work(i)))[1]);
  return all.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

/** What a number should be: at most (or `least`, at least) so much, of the ratio to the floor where `x` is said, else of itself. */
export interface Aim {
  readonly limit: number;
  readonly of: "ratio" | "value";
  readonly least?: true;
}

export const atMost = (limit: number): Aim => ({ limit, of: "value" });
export const atLeast = (limit: number): Aim => ({ limit, of: "value", least: true });
export const timesFloor = (limit: number): Aim => ({ limit, of: "ratio" });

function verdict(aim: Aim | undefined, value: number, floor: number | undefined): string {
  if (aim === undefined) return "";
  const measured = aim.of === "ratio" ? value / (floor ?? Number.NaN) : value;
  const isMet = aim.least === true ? measured >= aim.limit : measured <= aim.limit;
  const sign = aim.least === true ? ">=" : "<=";
  return `aim ${sign} ${aim.limit}${aim.of === "ratio" ? "x" : ""}: ${isMet ? "met" : "MISSED"}`;
}

export function row(what: string, ms: number, floor?: number, aim?: Aim): void {
  const ratio = floor === undefined ? "" : `${(ms / floor).toFixed(2)}x floor`;
  console.log(`  ${what.padEnd(50)} ${ms.toFixed(3).padStart(10)} ms  ${ratio.padEnd(14)} ${verdict(aim, ms, floor)}`);
}

/** `value` with its unit; what an aim is compared with stands in front. */
export function fact(what: string, value: string, aim?: Aim): void {
  const line = `  ${what.padEnd(50)} ${value.padStart(13)}  ${"".padEnd(14)}`;
  console.log(`${line} ${verdict(aim, Number.parseFloat(value), undefined)}`);
}

export function load(): string {
  return loadavg()
    .map((one) => one.toFixed(1))
    .join(" ");
}

/** Heap in use after a collection, MB. */
export function heapMb(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed / 1_048_576;
}

/** A directory with repositories whose git knows nothing of the user. */
export interface BenchSite {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  repository(name: string, bare?: boolean): Promise<Repository>;
  open(repository: Repository, more?: Partial<OpenGraphOptions>): Promise<GitGraph>;
  sh(this: void, cwd: string, ...args: readonly string[]): string;
  close(): Promise<void>;
}

export async function benchSite(): Promise<BenchSite> {
  const directory = await mkdtemp(join(tmpdir(), "town-graph-bench-"));
  const environment = benchEnvironment(directory);
  const git = new NodeGit({ environment });
  return {
    directory,
    environment,
    repository: (name, bare = true) => git.init(join(directory, name), { bare, branch: "main" }),
    open: openRealGraph,
    sh: (cwd, ...args) => execFileSync("git", args, { cwd, env: environment, encoding: "utf8" }).trim(),
    close: async () => {
      await git.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** One append of a record with one fdatasync: the least a durable write can cost here, ms. */
export async function appendFloor(directory: string): Promise<number> {
  const handle = await open(join(directory, "floor"), "a");
  const text = `\n${"x".repeat(699)}`;
  const result = await median(300, async () => {
    await handle.appendFile(text);
    await handle.datasync();
  });
  await handle.close();
  return result;
}

/** `git add` and `git commit` of so many changed files, in a checkout of its own, ms. */
export async function gitCommitFloor({ directory, sh }: BenchSite, files: number): Promise<number> {
  const at = join(directory, `floor-${files}`);
  mkdirSync(at);
  sh(at, "init", "-q");
  return median(5, (round) => {
    for (let i = 0; i < files; i++) writeFileSync(join(at, `${i}.json`), `${round} ${i} ${"x".repeat(550)}\n`);
    sh(at, "add", "-A");
    sh(at, "commit", "-q", "-m", "m");
  });
}

/** Whole run of a program, ms; its output is thrown away. */
export function processMs(args: readonly string[], cwd: string): Promise<number> {
  const { NODE_EXTRA_CA_CERTS: _, TOWN_DIR: _town, ...env } = process.env;
  return median(9, () => spawnSync(process.execPath, [...args], { cwd, env, stdio: "ignore" }));
}

/** Bytes below a directory. */
export async function sizeOf(directory: string): Promise<number> {
  let sum = 0;
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) sum += await sizeOf(path);
    else sum += (await stat(path)).size;
  }
  return sum;
}
