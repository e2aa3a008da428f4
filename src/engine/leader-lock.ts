import { TerminalError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { ProcessIdentity, Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";
import { timestamp } from "../resource/condition.ts";

export interface LeaderLockOptions {
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
  /** The lock file; its directory exists. */
  readonly path: string;
  /** Version of this program, told to whoever is refused. */
  readonly version?: string;
}

export interface LeaderLock {
  /** Removes the lock if it is still ours. */
  release(): Promise<void>;
}

/** The lock file, format 1. */
interface LockRecord extends ProcessIdentity {
  readonly format: number;
  /** Names this holding of the lock, unlike any other. */
  readonly token: string;
  readonly since: string;
  readonly version?: string;
}

const FORMAT = 1;
const MAX_ROUNDS = 50;
/** Where there are no hard links a new lock file is empty for a moment. */
const INCOMPLETE_WAIT_MS = 50;
const INCOMPLETE_ROUNDS = 10;

/**
 * Makes this process the only controller of a town. Throws TerminalError `TownAlreadyRunning`, `LockHolderUnknown`,
 * `LockFormatTooNew` or `LockUnreadable`, each saying who holds the lock and what to do.
 *
 * Guarantees: of any number of processes at most one holds the lock; a lock is taken over only from a holder that is
 * provably gone; being killed at any point leaves a lock that the next one can take.
 *
 * How: the file is created exclusively. To succeed a dead holder one must create, exclusively, the file
 * `<path>.after-<token of the holder>`, which only one process can ever do; a successor that died before it replaced the
 * lock is itself succeeded the same way. Who created the last link replaces the lock by rename and removes the links.
 * A link made late, after that, is void: its maker sees that the lock has changed.
 */
export async function acquireLeaderLock(options: LeaderLockOptions): Promise<LeaderLock> {
  const { files, path, clock } = options;
  const self = await options.processes.self();
  const record: LockRecord = {
    format: FORMAT,
    ...self,
    token: options.random.uuid(),
    since: timestamp(clock.now()),
    ...(options.version === undefined ? {} : { version: options.version }),
  };
  const text = `${JSON.stringify(record)}\n`;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (await files.createExclusive(path, text, { mode: 0o600 })) return held(options, record);
    const head = await readRecord(options, path);
    if (head !== undefined && (await succeed(options, head, text))) return held(options, record);
  }
  throw new TerminalError(
    "LockContended",
    `Cannot take the lock ${path}: it changed hands ${MAX_ROUNDS} times meanwhile.`,
    { hint: "Start one controller only." },
  );
}

interface Read {
  readonly text: string;
  readonly record: LockRecord;
}

/** Takes the lock over from a dead holder. False: it changed meanwhile, look again. */
async function succeed(options: LeaderLockOptions, head: Read, text: string): Promise<boolean> {
  const { files, path } = options;
  let last = head;
  for (
    let next: Read | undefined = head;
    next !== undefined;
    next = await readRecord(options, linkPath(path, last.record))
  )
    last = next;
  await refuseUnlessDead(options, last.record);
  const link = linkPath(path, last.record);
  if (!(await files.createExclusive(link, text, { mode: 0o600 }))) return false;
  if ((await files.readText(path)) !== head.text) {
    await files.remove(link);
    return false;
  }
  await files.writeAtomic(path, text, { mode: 0o600 });
  return true;
}

async function held(options: LeaderLockOptions, record: LockRecord): Promise<LeaderLock> {
  const { files, path } = options;
  await removeLinks(options);
  return {
    release: async () => {
      if (parse((await files.readText(path)) ?? "")?.token === record.token) await files.remove(path);
    },
  };
}

/** Links of former holders are void once the lock is ours. */
async function removeLinks({ files, path }: LeaderLockOptions): Promise<void> {
  const cut = path.lastIndexOf("/");
  const prefix = `${path.slice(cut + 1)}.after-`;
  const directory = path.slice(0, cut);
  for (const name of await files.list(directory))
    if (name.startsWith(prefix)) await files.remove(`${directory}/${name}`);
}

function linkPath(path: string, holder: LockRecord): string {
  return `${path}.after-${holder.token}`;
}

async function readRecord(options: LeaderLockOptions, path: string): Promise<Read | undefined> {
  for (let round = 0; round < INCOMPLETE_ROUNDS; round += 1) {
    const text = await options.files.readText(path);
    if (text === undefined) return undefined;
    const record = parse(text);
    if (record !== undefined) return { text, record };
    await options.clock.sleep(INCOMPLETE_WAIT_MS);
  }
  throw new TerminalError("LockUnreadable", `Cannot read the lock ${path}: it is not a lock file of a town.`, {
    hint: "If no controller of this town is running, remove the file and start again.",
  });
}

function parse(text: string): LockRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockRecord> | null;
    const complete =
      typeof value?.format === "number" &&
      typeof value.pid === "number" &&
      typeof value.token === "string" &&
      /^[\w-]+$/.test(value.token);
    return complete ? (value as LockRecord) : undefined;
  } catch {
    return undefined;
  }
}

async function refuseUnlessDead(options: LeaderLockOptions, holder: LockRecord): Promise<void> {
  const version = holder.version === undefined ? "" : `, town ${holder.version}`;
  const who = `process ${holder.pid} (since ${holder.since}${version})`;
  if (holder.format > FORMAT) {
    throw new TerminalError(
      "LockFormatTooNew",
      `Cannot judge the lock ${options.path}: ${who} wrote it in format ${holder.format}.`,
      { hint: "Use that version of town." },
    );
  }
  const presence = await options.processes.probe(holder);
  if (presence === "Dead") return;
  if (presence === "Alive") {
    throw new TerminalError("TownAlreadyRunning", `Cannot start the controller: ${who} runs this town already.`, {
      hint: "Use it, or end it with `town down`.",
    });
  }
  throw new TerminalError("LockHolderUnknown", `Cannot tell whether ${who}, which holds ${options.path}, still runs.`, {
    hint: `If \`ps -p ${holder.pid}\` does not show a town, remove the file and start again.`,
  });
}
