import { TownError, WaitingError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { ProcessIdentity, Processes } from "../ports/processes.ts";
import type { Random } from "../ports/random.ts";
import { formatVersion } from "./paths.ts";

interface LockText extends ProcessIdentity {
  readonly format: number;
  /** Unique for each time the lock is taken. */
  readonly nonce: string;
  /** Whoever holds it ends soon. */
  readonly brief?: true;
}

export interface StoreLock {
  release(): Promise<void>;
}

export interface LockPorts {
  readonly files: Files;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly random: Random;
}

const pollMs = 25;

/**
 * The one-writer lock of a store: a file that names its holder by pid, start time and boot id.
 *
 * Guarantees: two live processes never hold it together; a holder that is provably gone is succeeded at once; one that
 * cannot be judged is never robbed.
 *
 * A dead holder N is succeeded by creating `<lock>.after-<nonce of N>` exclusively: only one process can do that. The
 * winner then writes itself over the lock and removes the file; whoever created it too late finds another holder when it
 * reads the lock again. Throws WaitingError `StoreLocked` when `timeoutMs` pass.
 */
export async function takeStoreLock(
  path: string,
  ports: LockPorts,
  timeoutMs: number,
  options: { readonly isBrief?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<StoreLock> {
  const { isBrief, signal } = options;
  const mine: LockText = {
    format: formatVersion,
    ...(await ports.processes.self()),
    nonce: ports.random.secret(16),
    ...(isBrief === true ? { brief: true } : {}),
  };
  const text = JSON.stringify(mine);
  const deadline = ports.clock.monotonicMs() + timeoutMs;
  for (;;) {
    const holder = await tryTake(path, mine, text, ports);
    if (holder === undefined) {
      await removeLitter(path, mine.nonce, ports.files);
      return { release: () => release(path, mine.nonce, ports.files) };
    }
    if (signal?.aborted === true || ports.clock.monotonicMs() >= deadline) throw locked(path, holder, timeoutMs);
    await ports.clock.sleep(pollMs, signal);
  }
}

// Undefined: taken. Else who has it.
async function tryTake(path: string, mine: LockText, text: string, ports: LockPorts): Promise<LockText | undefined> {
  if (await ports.files.createExclusive(path, text, { mode: 0o600 })) return undefined;
  const chain = await readChain(path, ports.files);
  const holder = chain.at(-1);
  if (holder === undefined) return tryTake(path, mine, text, ports);
  if ((await ports.processes.probe(holder)) !== "Dead") return holder;
  const succession = successionPath(path, holder.nonce);
  if (!(await ports.files.createExclusive(succession, text, { mode: 0o600 })))
    return (await readChain(path, ports.files)).at(-1) ?? holder;
  const now = await readChain(path, ports.files);
  if (now.at(-1)?.nonce !== mine.nonce) {
    await ports.files.remove(succession);
    return now.at(-1) ?? holder;
  }
  await ports.files.writeAtomic(path, text, { mode: 0o600 });
  for (const dead of now.slice(0, -1)) await ports.files.remove(successionPath(path, dead.nonce));
  return undefined;
}

/** Whether the text of a lock says that its holder ends soon. */
export function isBriefHolder(text: string): boolean {
  return text.includes('"brief":true');
}

function successionPath(path: string, nonce: string): string {
  return `${path}.after-${nonce}`;
}

/** The holder and those who succeeded it without having written themselves over the lock yet; the last one holds it. */
async function readChain(path: string, files: Files): Promise<readonly LockText[]> {
  const chain: LockText[] = [];
  let next = await files.readText(path);
  while (next !== undefined) {
    const holder = parseLock(path, next);
    chain.push(holder);
    next = await files.readText(successionPath(path, holder.nonce));
  }
  return chain;
}

function parseLock(path: string, text: string): LockText {
  try {
    const value = JSON.parse(text) as Partial<LockText>;
    if (
      typeof value.pid === "number" &&
      typeof value.startTime === "string" &&
      typeof value.bootId === "string" &&
      typeof value.nonce === "string"
    ) {
      return value as LockText;
    }
  } catch {
    // Reported below: whoever wrote this may be alive.
  }
  throw new TownError("LockUnreadable", `Cannot read the lock of the work graph ${path}: it does not name a process.`, {
    hint: `Make sure that no town process uses this repository, then remove ${path}.`,
  });
}

/**
 * Contenders that died, or came too late, leave files that succeed holders of the past. Nobody reads them; whoever made one
 * just now sees that the lock has another holder.
 */
async function removeLitter(path: string, nonce: string, files: Files): Promise<void> {
  const slash = path.lastIndexOf("/");
  const directory = slash <= 0 ? "/" : path.slice(0, slash);
  const prefix = successionPath(path.slice(slash + 1), "");
  for (const name of await files.list(directory)) {
    if (name.startsWith(prefix) && name !== `${prefix}${nonce}`)
      await files.remove(`${directory === "/" ? "" : directory}/${name}`);
  }
}

async function release(path: string, nonce: string, files: Files): Promise<void> {
  const text = await files.readText(path);
  if (text !== undefined && parseLock(path, text).nonce === nonce) await files.remove(path);
}

function locked(path: string, holder: LockText, timeoutMs: number): WaitingError {
  return new WaitingError(
    "StoreLocked",
    `Cannot open the work graph for writing: process ${holder.pid} holds ${path} (waited ${timeoutMs} ms).`,
    1_000,
    {
      hint: "Talk to the running town instead (`town status`), or end that process.",
    },
  );
}
