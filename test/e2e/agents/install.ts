// Installs real agent programs for the tests beside this file, exactly as their lock files in programs/ pin them:
// `npx tsx test/e2e/agents/install.ts [--within SECONDS] [claude codex …]` (default: all, without a time limit). They are
// put in a cache outside of the project, TOWN_AGENTS_CACHE or ~/.cache/town/agents, each in a directory of its own, and
// are never part of this package: some are proprietary. Exit 1: one could not be installed, and which is said.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type AgentProgram, pinsOf, placeOf, PROGRAMS } from "./installed.ts";

const PINS = ["package.json", "package-lock.json"];

/** Installs beside its place first: what is interrupted leaves nothing that looks installed. */
function install(name: AgentProgram, timeoutMs: number): string {
  const { version, directory } = placeOf(name);
  if (existsSync(directory)) return `${name} ${version} is in ${directory}`;
  if (timeoutMs <= 0) throw new Error("no time is left");
  mkdirSync(dirname(directory), { recursive: true });
  const staging = mkdtempSync(join(dirname(directory), `.${name}-`));
  try {
    for (const file of PINS) copyFileSync(join(pinsOf(name), file), join(staging, file));
    const verb = isWhole(join(staging, "package-lock.json")) ? ["ci"] : ["install", "--no-save"];
    const npm = spawnSync("npm", [...verb, "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: staging,
      stdio: "inherit",
      ...(Number.isFinite(timeoutMs) ? { timeout: timeoutMs } : {}),
    });
    if (npm.status !== 0) throw new Error(npm.error?.message ?? `npm ended with ${npm.status ?? npm.signal}`);
    const env = { ...process.env, HOME: staging };
    const asked = spawnSync(join(staging, "node_modules", ".bin", name), ["--version"], { encoding: "utf8", env });
    if (!asked.stdout.includes(version)) throw new Error(`it does not run here: ${asked.stderr}`);
    renameSync(staging, directory);
    return `${name} ${version} installed in ${directory}`;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** `npm ci` refuses a lock without the packages for other machines, which not every registry has; `install` keeps to it. */
function isWhole(lock: string): boolean {
  const { packages } = JSON.parse(readFileSync(lock, "utf8")) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const optional = Object.values(packages).flatMap((each) => Object.keys(each.optionalDependencies ?? {}));
  return optional.every((name) => packages[`node_modules/${name}`] !== undefined);
}

function main(args: readonly string[]): number {
  const isLimited = args[0] === "--within";
  const deadline = isLimited ? Date.now() + Number(args[1]) * 1_000 : Number.POSITIVE_INFINITY;
  const named = isLimited ? args.slice(2) : args;
  const wanted = named.length === 0 ? PROGRAMS : PROGRAMS.filter((name) => named.includes(name));
  if (wanted.length < new Set(named).size || Number.isNaN(deadline)) {
    process.stderr.write(`usage: install.ts [--within SECONDS] [${PROGRAMS.join("|")}]…\n`);
    return 2;
  }
  let failed = 0;
  for (const name of wanted) {
    try {
      process.stdout.write(`${install(name, deadline - Date.now())}\n`);
    } catch (error) {
      failed = 1;
      process.stderr.write(`${name} could not be installed, its tests are skipped: ${String(error)}\n`);
    }
  }
  return failed;
}

process.exit(main(process.argv.slice(2)));
