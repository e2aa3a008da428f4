import { absolute } from "../bd/access/files.ts";
import type { BdContext } from "../bd/context.ts";
import { oneGraph } from "../bd/context.ts";
import { wrap } from "../bd/output/plain-text.ts";
import { placeFlags } from "../bd/grammar/global-flags.ts";
import { aboutBd, changesStore, failed, runBd } from "../bd/run-bd.ts";
import { messageOf, TownError, WaitingError } from "../errors/town-error.ts";
import type { GitGraph } from "../graph/git-graph.ts";
import { isBriefHolder } from "../graph/store-lock.ts";
import { LockQueue } from "../graph/lock-queue.ts";
import type { OpenGraphOptions } from "../graph/open-graph.ts";
import { openGraph } from "../graph/open-graph.ts";
import { defaultBranch, flushedRef, prefixKey, storeKey, storePaths } from "../graph/paths.ts";
import { META } from "../domain/work-graph/bead.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Git, Repository } from "../ports/git.ts";
import type { Log } from "../ports/log.ts";
import { silentLog } from "../ports/log.ts";
import type { Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";
import { endAnsweredEscalations } from "../work/escalation.ts";
import { closeStep } from "../work/molecule.ts";
import { bdTools } from "./bd-tools.ts";

export interface OfflineBdPorts {
  readonly git: Git;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
}

export interface OfflineBdCall {
  readonly argv: readonly string[];
  /** Absolute. */
  readonly cwd: string;
  readonly stdin?: string;
  /** Columns of the terminal; undefined: a pipe. */
  readonly columns?: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/**
 * bd on the store on disk, for a repository that no running town serves: the store of the rig its git config names in
 * `town.store`, else that of the repository itself. Reads take no lock; a change takes the store's one-writer lock for as
 * long as it lasts. Returns the exit code: 6 when another process keeps the store.
 *
 * Guarantees: what was printed as done is on disk; the user's index, worktrees and branches are not touched.
 */
export async function runOfflineBd(call: OfflineBdCall, ports: OfflineBdPorts): Promise<number> {
  try {
    return (await run(call, ports)) ?? (await run(call, ports, true)) ?? 1;
  } catch (error) {
    const { stderr, exitCode } = failed(error, {
      isJson: call.argv.includes("--json"),
      columns: call.columns,
    });
    call.err(stderr);
    return exitCode;
  }
}

/** Undefined: something is lost, nothing was done or said, and the cache is not used again. */
async function run(call: OfflineBdCall, ports: OfflineBdPorts, isAgain = false): Promise<number | undefined> {
  const told = aboutBd(call.argv, call);
  if (told !== undefined) {
    say(call, told);
    return told.exitCode;
  }
  const { directory, rig } = placeFlags(call.argv);
  const cwd = directory === undefined ? call.cwd : absolute(directory, call.cwd);
  const isWrite = changesStore(call.argv);
  const { place, graph, actor, email, isPrefixStated } = await openPlace(cwd, isWrite, call, ports);
  const { seq } = graph;
  if (rig !== undefined && !namesOf(place, graph).includes(rig)) {
    await graph.close();
    throw new TownError(
      "NoSuchRig",
      `--rig ${rig}: no town runs here, and this directory's store is that of ${graph.prefix}`,
      {
        hint: "start the town of that rig (town up -d), or name its repository with -C DIR",
      },
    );
  }
  let [isCacheDue, isSpoilt] = [false, false];
  try {
    const context: BdContext = {
      graphs: oneGraph(graph),
      home: graph,
      actor: actor.name,
      ...(email === undefined ? {} : { owner: email }),
      clock: ports.clock,
      files: ports.files,
      cwd: call.cwd,
      ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
      isTerminal: call.columns !== undefined,
      ...(call.columns === undefined ? {} : { columns: call.columns }),
      env: call.env,
      version: call.version,
      tools: {
        ...bdTools({ storeOf: () => graph, ...ports }),
        init: (options) => initStore(place, graph, options),
      },
      changedStatus: endAnsweredEscalations,
      closeStep: (tx, id, reason) =>
        tx.get(id)?.metadata?.[META.step] === undefined ? undefined : closeStep(tx, id, reason),
    };
    const { stdout, stderr, exitCode } = await runBd(call.argv, context);
    isCacheDue = graph.cache.isDue;
    // What is left elsewhere of a lost text is found without the cache, as long as nothing was done yet.
    isSpoilt = graph.cache.isLost && graph.seq === seq && !isAgain;
    if (isSpoilt) return undefined;
    if (isWrite && !isPrefixStated) await keepPrefix(place.store, graph);
    const note = wrap(noteAfter(isWrite && exitCode === 0, actor), call.columns).join("\n");
    say(call, { stdout, stderr: `${note}${stderr}` });
    return exitCode;
  } finally {
    await graph.close();
    if (isCacheDue && !isSpoilt && !isWrite && !call.argv.includes("--readonly"))
      await writeCache(place.store, graph.prefix, ports);
  }
}

/**
 * Once there are beads with it, moving the directory must not change the prefix. Until then nothing is decided: what a first
 * exchange takes in may have another one.
 */
async function keepPrefix(store: Repository, graph: GitGraph): Promise<void> {
  const isUsed = graph.sketches().some(({ id }) => id.startsWith(`${graph.prefix}-`));
  if (isUsed) await store.setConfig(prefixKey, graph.prefix);
}

/** What the store of a directory may be called by: its prefix, or the name of the repository that holds it. */
function namesOf({ store }: StorePlace, { prefix }: GitGraph): readonly string[] {
  const path = store.commonDirectory.replace(/\/\.git$/, "");
  return [prefix, path.slice(path.lastIndexOf("/") + 1).replace(/\.git$/, "")];
}

function say(call: OfflineBdCall, { stdout, stderr }: { readonly stdout: string; readonly stderr: string }): void {
  if (stdout !== "") call.out(stdout);
  if (stderr !== "") call.err(stderr);
}

function noteAfter(isChange: boolean, { note }: Actor): string {
  return isChange && note !== undefined ? `${note}\n` : "";
}

/**
 * Where only reads come, nobody else would write the cache, and each of them would be slow. Whatever keeps this from
 * happening (a writer, a disk that cannot be written) is no concern of a read. A clone that has no branch of its own yet is
 * left as it is.
 */
async function writeCache(repository: Repository, prefix: string, ports: OfflineBdPorts): Promise<void> {
  if ((await repository.resolve(defaultBranch)) === undefined) return;
  const nobody = () => undefined;
  const options = { ...ports, repository, log: warningsTo(nobody), prefix };
  try {
    await (await openGraph({ ...options, lockTimeoutMs: 0, isBrief: true })).close();
  } catch {
    // The next read tries again.
  }
}

interface OpenPlace {
  readonly place: StorePlace;
  readonly graph: GitGraph;
  readonly actor: Actor;
  readonly email: string | undefined;
  readonly isPrefixStated: boolean;
}

/** The store that the caller's repository follows, opened; again when a town adopted the repository meanwhile. */
async function openPlace(
  cwd: string,
  isWrite: boolean,
  call: OfflineBdCall,
  ports: OfflineBdPorts,
): Promise<OpenPlace> {
  for (;;) {
    const place = await storePlace(cwd, ports);
    const stated = await statedPrefix(place, ports);
    const actor = actorOf(call, place.facts.get("user.name"));
    const email = call.env["GIT_AUTHOR_EMAIL"] ?? place.facts.get("user.email");
    const prefix = stated ?? { orElse: directoryPrefix(place.store) };
    const emailOf = (name: string): string | undefined => (name === actor.name ? email : undefined);
    const graph = await openStore(place.store, { prefix, isWrite, call, emailOf }, ports);
    // Who adopts the repository names the new store first and then waits for this lock.
    if (!isWrite || (await place.around.config(storeKey)) === place.bound)
      return { place, graph, actor, email, isPrefixStated: stated !== undefined };
    await graph.close();
  }
}

interface StorePlace {
  /** The repository the caller stands in. */
  readonly around: Repository;
  /** The one that holds the store. */
  readonly store: Repository;
  /** What `town.store` says there. */
  readonly bound: string | undefined;
  /** What else the git config there says of the caller and of the prefix. */
  readonly facts: ReadonlyMap<string, string>;
}

async function storePlace(cwd: string, { git, files }: OfflineBdPorts): Promise<StorePlace> {
  const around = await git.open(cwd);
  if (around === undefined && (await files.stat(cwd)) === undefined)
    throw new TownError("DirectoryNotFound", `there is no directory ${cwd}`, { hint: "-C takes one that is there" });
  if (around === undefined)
    throw new TownError("RepositoryNotFound", `no git repository at ${cwd}`, {
      hint: "beads live in git: run `git init` first, or use -C DIR",
    });
  const facts = await around.configs([storeKey, prefixKey, "user.name", "user.email"]);
  const bound = facts.get(storeKey);
  if (bound === undefined || bound === around.commonDirectory) return { around, store: around, bound, facts };
  const store = await git.open(bound);
  if (store === undefined)
    throw new TownError("StoreMissing", `the store of this rig is not there: ${bound} (git config ${storeKey})`, {
      hint: "start its town (`town up`), or let the rig go: git config --unset town.store",
    });
  return { around, store, bound, facts };
}

/**
 * The prefix of ids: `town.prefix` of the store, or of the checkout; a town's own repository is `hq`. Undefined: it is that of
 * most beads there are, else the name of the directory, and is written down with the first bead.
 */
async function statedPrefix(
  { around, store, facts }: StorePlace,
  { files }: OfflineBdPorts,
): Promise<string | undefined> {
  const stated = (around === store ? undefined : await store.config(prefixKey)) ?? facts.get(prefixKey);
  if (stated !== undefined && stated !== "") return stated;
  return (await isTown(store, files)) ? "hq" : undefined;
}

async function isTown({ commonDirectory }: Repository, files: Files): Promise<boolean> {
  return (await files.stat(`${commonDirectory}/town/store`)) !== undefined;
}

/** The name of the repository's directory as a prefix: `/src/My App/.git` is `my-app`. */
export function directoryPrefix({ commonDirectory }: Pick<Repository, "commonDirectory">): string {
  const parts = commonDirectory.split("/").filter((part) => part !== "");
  const last = parts.at(-1) ?? "";
  const name = last === ".git" ? (parts.at(-2) ?? "") : last.replace(/\.git$/, "");
  const prefix = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "")
    .slice(0, 20)
    .replace(/-+$/, "");
  return prefix === "" ? "bd" : prefix;
}

/** After so long somebody at a terminal is told why nothing happens. */
const noteAfterMs = 2_000;
/** Who keeps the store for so long without saying that it ends soon is a town. */
const patienceMs = 10_000;
const longestWaitMs = 120_000;
/** Between looks at the lock for the one whose turn it is; who stands further back looks so much less often. */
const pauseMs = 12;
const longestPauseMs = 250;
/** Looks per attempt to take a lock that somebody has: asking for it costs far more than looking at it. */
const asksEvery = 10;

/** Waits its turn while other short commands take theirs; gives up when one process keeps the store. */
async function openStore(
  repository: Repository,
  how: Pick<OpenGraphOptions, "prefix"> &
    Required<Pick<OpenGraphOptions, "emailOf">> & { readonly isWrite: boolean; readonly call: OfflineBdCall },
  ports: OfflineBdPorts,
): Promise<GitGraph> {
  const { call, prefix, isWrite, emailOf } = how;
  const options = {
    ...ports,
    repository,
    log: warningsTo(call.err),
    prefix,
    emailOf,
    readOnly: !isWrite,
    lockTimeoutMs: 0,
    isBrief: true,
  };
  if (!isWrite) return openForReading(repository, options);
  const paths = storePaths(repository.commonDirectory);
  const queue = new LockQueue(paths.waiting, ports);
  try {
    return await openInTurn(options, queue, paths.lock, call);
  } finally {
    await queue.leave();
  }
}

async function openInTurn(
  options: Parameters<typeof openGraph>[0],
  queue: LockQueue,
  lockPath: string,
  call: OfflineBdCall,
): Promise<GitGraph> {
  const { clock, files, random } = options;
  const started = clock.monotonicMs();
  let holder = { text: await files.readText(lockPath), sinceMs: started };
  let isTold = false;
  let inFront = (await queue.isBusy()) ? await queue.place() : 0;
  for (let attempt = 0; ; attempt += 1) {
    const now = clock.monotonicMs();
    const text = await files.readText(lockPath);
    if (text !== holder.text) holder = { text, sinceMs: now };
    const isKept = text !== undefined && !isBriefHolder(text) && now - holder.sinceMs >= patienceMs;
    const isStuck = isKept || now - started >= longestWaitMs;
    if (isStuck || (inFront === 0 && (text === undefined || attempt % asksEvery === 0))) {
      try {
        return await openGraph(options);
      } catch (error) {
        if (!(error instanceof WaitingError) || error.reason !== "StoreLocked") throw error;
        if (isStuck) throw lockedFor(error, now - started, isKept);
      }
    }
    if (!isTold && now - started >= noteAfterMs)
      call.err("Note: waiting for another process that changes these beads\n");
    isTold ||= now - started >= noteAfterMs;
    await clock.sleep(Math.min(longestPauseMs, pauseMs * (1 + inFront)) * (0.75 + random.float() / 2));
    inFront = await queue.place();
  }
}

function lockedFor(error: WaitingError, waitedMs: number, isKept: boolean): WaitingError {
  const message = error.message.replace(/waited \d+ ms/, `waited ${Math.round(waitedMs / 1_000)} s`);
  return new WaitingError(error.reason, message, error.retryAfterMs, {
    cause: error.cause,
    hint: isKept
      ? "a town keeps this store: run the command where it answers (`town status`), or stop it with `town down`"
      : "another command changes it and does not end: try again, or end that process",
  });
}

/** Reads what is on disk; again when a writer moved the branch meanwhile, since its log may have been cut behind us. */
async function openForReading(repository: Repository, options: Parameters<typeof openGraph>[0]): Promise<GitGraph> {
  for (let attempt = 1; ; attempt += 1) {
    const before = await repository.resolve(flushedRef);
    const graph = await openGraph(options);
    if (attempt === 5 || before === (await repository.resolve(flushedRef))) return graph;
    await graph.close();
  }
}

async function initStore(
  { around, store }: StorePlace,
  graph: GitGraph,
  wanted: { readonly prefix: string | undefined; readonly orElse: string | undefined },
): Promise<{ readonly prefix: string; readonly fresh: boolean }> {
  const known = await store.config(prefixKey);
  const prefix = wanted.prefix ?? known ?? wanted.orElse ?? graph.prefix;
  const fresh = known === undefined && graph.size === 0;
  if (around !== store)
    throw new TownError("BelongsToTown", `this checkout follows the store of a town (${store.commonDirectory})`, {
      hint: "its prefix is in the manifest of the rig: spec.prefix",
    });
  if (known !== prefix) await store.setConfig(prefixKey, prefix);
  return { prefix, fresh };
}

interface Actor {
  readonly name: string;
  /** Said after a change, when git does not know the person. */
  readonly note?: string;
}

function actorOf({ env }: OfflineBdCall, gitName: string | undefined): Actor {
  const stated = env["BEADS_ACTOR"] ?? env["BD_ACTOR"] ?? env["GIT_AUTHOR_NAME"];
  const name = stated !== undefined && stated !== "" ? stated : gitName;
  if (name !== undefined && name !== "") return { name };
  const user = env["USER"] ?? env["LOGNAME"] ?? "";
  const fallback = user === "" ? "unknown" : user;
  return {
    name: fallback,
    note: `Note: git has no user.name here, so this is recorded as made by "${fallback}". Set it: git config --global user.name "Your Name"`,
  };
}

/** The store's warnings and errors, one line each; the rest is for daemons. */
function warningsTo(err: (text: string) => void): Log {
  const write = (fields: Readonly<Record<string, unknown>>, message: string): void => {
    const facts = Object.entries(fields)
      .filter(([key]) => key !== "namespace")
      .map(
        ([key, value]) =>
          `${key}=${value instanceof Error ? messageOf(value) : typeof value === "string" ? value : JSON.stringify(value)}`,
      );
    err(`Note: ${message}${facts.length === 0 ? "" : ` (${facts.join(", ")})`}\n`);
  };
  return { ...silentLog, warn: write, error: write, child: () => warningsTo(err) };
}
