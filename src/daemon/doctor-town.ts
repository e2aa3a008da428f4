import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { createNodeProcesses } from "../adapters/node-processes.ts";
import type { Git, Repository } from "../ports/git.ts";
import type { ProcessIdentity } from "../ports/processes.ts";
import type { Finding } from "./finding.ts";

/** A git that holds a lock works for moments; an older lock was left behind. */
const LOCK_AGE_MS = 60_000;
/** Times this far ahead mean that a clock was put back. */
const CLOCK_SLACK_MS = 5 * 60_000;

/** Checks of one town that need no daemon. */
export async function townFindings(repository: Repository, git: Git, now: number): Promise<readonly Finding[]> {
  const state = join(repository.commonDirectory, "town");
  const clones = (await names(join(state, "rigs")))
    .filter((name) => name.endsWith(".git"))
    .map((name) => join(state, "rigs", name));
  return [
    await controller(state),
    await clock(state, now),
    ...(await modes(state)),
    ...(await locks([repository.commonDirectory, ...clones], now)),
    ...(await bindings(clones, git)),
    ...(await leftovers(state, [repository.path, ...clones], git)),
  ];
}

async function controller(state: string): Promise<Finding> {
  const check = "controller";
  const text = await readFile(join(state, "endpoint.json"), "utf8").catch(() => undefined);
  if (text === undefined) return { check, state: "Warning", message: "is not running", fix: "start it: town up -d" };
  const identity = identityIn(text);
  if (identity === undefined)
    return {
      check,
      state: "Error",
      message: `${join(state, "endpoint.json")} is damaged`,
      fix: "start it again: town up -d",
    };
  const found = await createNodeProcesses().probe(identity);
  if (found === "Alive") return { check, state: "Ok", message: `runs (pid ${identity.pid})` };
  return found === "Unknown"
    ? { check, state: "Warning", message: `cannot tell whether pid ${identity.pid} is it`, fix: "ask it: town status" }
    : {
        check,
        state: "Error",
        message: `pid ${identity.pid} is gone without having said goodbye`,
        fix: "start it again, nothing is lost: town up -d",
      };
}

function identityIn(text: string): ProcessIdentity | undefined {
  try {
    const { pid, startTime, bootId } = JSON.parse(text) as Partial<ProcessIdentity>;
    return pid === undefined || startTime === undefined || bootId === undefined
      ? undefined
      : { pid, startTime, bootId };
  } catch {
    return undefined;
  }
}

/** What was written last must not lie in the future. */
async function clock(state: string, now: number): Promise<Finding> {
  const times = await Promise.all(
    ["graph.json", "endpoint.json", "store", "wal"].map(
      async (name) => (await stat(join(state, name)).catch(() => undefined))?.mtimeMs ?? 0,
    ),
  );
  const aheadMs = Math.max(0, ...times) - now;
  return aheadMs > CLOCK_SLACK_MS
    ? {
        check: "clock",
        state: "Warning",
        message: `the town was written to ${Math.round(aheadMs / 60_000)} minutes in the future`,
        fix: "set the clock right; leases and timers wait until it has caught up",
      }
    : { check: "clock", state: "Ok", message: new Date(now).toISOString() };
}

/** Tokens and secrets that others on this machine could read. */
async function modes(state: string): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const directory of ["tokens", "tokens/sessions", "secrets"]) {
    const path = join(state, directory);
    const open = await isOpenToOthers(path);
    if (open) found.push(openFinding(path, "700"));
    for (const name of await names(path)) {
      const file = join(path, name);
      if ((await stat(file).catch(() => undefined))?.isFile() === true && (await isOpenToOthers(file)))
        found.push(openFinding(file, "600"));
    }
  }
  return found.length > 0
    ? found
    : [{ check: "secrets", state: "Ok", message: "tokens and secrets are yours alone to read" }];
}

async function isOpenToOthers(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && (found.mode & 0o077) !== 0;
}

function openFinding(path: string, mode: string): Finding {
  return { check: "secrets", state: "Error", message: `others can read ${path}`, fix: `chmod ${mode} ${path}` };
}

const LOCKS = [
  "index.lock",
  "HEAD.lock",
  "packed-refs.lock",
  "config.lock",
  "refs/heads/main.lock",
  "refs/heads/town/work.lock",
];

async function locks(repositories: readonly string[], now: number): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const path of repositories.flatMap((repository) => LOCKS.map((lock) => join(repository, lock)))) {
    const lock = await stat(path).catch(() => undefined);
    if (lock === undefined || now - lock.mtimeMs < LOCK_AGE_MS) continue;
    const minutes = Math.round((now - lock.mtimeMs) / 60_000);
    found.push({
      check: "locks",
      state: "Warning",
      message: `${path} is ${minutes} minutes old: a git was killed`,
      fix: `if no git works there: rm ${path}`,
    });
  }
  return found.length > 0 ? found : [{ check: "locks", state: "Ok", message: "no git left a lock behind" }];
}

/** Repositories on this machine that are rigs: each follows this town's store, and nobody else's. */
async function bindings(clones: readonly string[], git: Git): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const clone of clones) {
    const check = `rig ${basename(clone, ".git")}`;
    const repository = await git.open(clone);
    if (repository?.commonDirectory !== clone) {
      found.push({
        check,
        state: "Error",
        message: `${clone} is no repository`,
        fix: `move it away; the next start clones anew`,
      });
      continue;
    }
    const origin = (await repository.config("remote.origin.url")) ?? "";
    const checkout = origin.startsWith("/") ? await git.open(origin).catch(() => undefined) : undefined;
    const bound = await checkout?.config("town.store");
    if (!origin.startsWith("/")) found.push({ check, state: "Ok", message: `follows ${origin}` });
    else if (checkout === undefined)
      found.push({
        check,
        state: "Warning",
        message: `there is no repository at ${origin}`,
        fix: "bring it back, or correct spec.path of the Rig",
      });
    else if (bound !== clone)
      found.push({
        check,
        state: "Warning",
        message:
          bound === undefined
            ? `${origin} does not follow this town's beads yet`
            : `${origin} follows another store, ${bound}`,
        fix:
          bound === undefined
            ? "a running town binds it: town up -d"
            : `if that town is gone: git -C ${origin} config --unset town.store`,
      });
    else found.push({ check, state: "Ok", message: `follows ${origin}` });
  }
  return found;
}

/** What was kept for a person to look at. */
async function leftovers(state: string, repositories: readonly string[], git: Git): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for (const path of repositories) {
    const repository = await git.open(path).catch(() => undefined);
    const rescued = [...((await repository?.listRefs("refs/town/rescue/")) ?? new Map<string, string>()).keys()];
    const [first] = rescued;
    if (first === undefined) continue;
    found.push({
      check: "rescued work",
      state: "Warning",
      message: `${rescued.length} worktrees were removed with uncommitted work`,
      fix: `look: git -C ${path} show --stat ${first}; forget: git -C ${path} update-ref -d REF`,
    });
  }
  const removed = await names(join(state, "rigs", "removed"));
  if (removed.length > 0)
    found.push({
      check: "removed rigs",
      state: "Warning",
      message: `${removed.length} clones of removed rigs are kept: ${removed.slice(0, 3).join(", ")}`,
      fix: `\`town rig add\` takes one back; for good: rm -r ${join(state, "rigs", "removed")}/NAME`,
    });
  for (const directory of [
    join(state, "set-aside"),
    ...repositories.slice(1).map((clone) => join(clone, "town", "set-aside")),
  ])
    if ((await names(directory)).length > 0)
      found.push({
        check: "set aside",
        state: "Warning",
        message: `records that could not be taken in are in ${directory}`,
        fix: "mend them, or delete the folder",
      });
  return found;
}

async function names(directory: string): Promise<readonly string[]> {
  const found: readonly string[] = await readdir(directory).catch(() => []);
  return found.toSorted((a, b) => (a < b ? -1 : 1));
}
