import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { AdapterError } from "../../errors/town-error.ts";
import type { Clock } from "../../ports/clock.ts";
import type { IdentitySource } from "../process-identity.ts";

const run = promisify(execFile);

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Process session (setsid); undefined where the system does not tell. */
  readonly session: number | undefined;
  readonly zombie: boolean;
  /** Processor time used so far, in ticks; by `ps`: of one core, in percent, lately. `buried`: that of children it waited for. */
  readonly cpu: { readonly own: number; readonly buried: number };
}

/** One look at what runs on this machine. */
export interface ProcessSnapshot {
  readonly rows: ReadonlyMap<number, ProcessRow>;
  /** Value of a variable in the environment a process of this user was started with; undefined where it cannot be read. */
  variable(pid: number, name: string): string | undefined;
}

/** Of the time, so much at most is spent on looking: many sessions may be ending at once. */
const DUTY = 0.25;

/** What runs on this machine; `proc` reads /proc without forking, `ps` runs the program and cannot tell environments. */
export class ProcessList {
  readonly #source: IdentitySource;
  readonly #clock: Clock;
  #next: Promise<ProcessSnapshot> | undefined;
  #restUntilMs = 0;

  constructor(source: IdentitySource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /**
   * All processes, as of a moment after this call. Callers that wait for the same look share it. Throws AdapterError
   * `ProcessListUnreadable`.
   */
  snapshot(): Promise<ProcessSnapshot> {
    this.#next ??= this.#lookSoon();
    return this.#next;
  }

  async #lookSoon(): Promise<ProcessSnapshot> {
    await this.#clock.sleep(Math.max(0, this.#restUntilMs - this.#clock.monotonicMs()));
    this.#next = undefined;
    const from = this.#clock.monotonicMs();
    try {
      return await this.#look();
    } finally {
      const now = this.#clock.monotonicMs();
      this.#restUntilMs = now + (now - from) * (1 / DUTY - 1);
    }
  }

  async #look(): Promise<ProcessSnapshot> {
    if (this.#source === "ps") return { rows: await rowsFromPs(), variable: () => undefined };
    const environments = new Map<number, readonly string[]>();
    return {
      rows: rowsFromProc(),
      variable: (pid, name) => {
        const known = environments.get(pid) ?? readProc(`${pid}/environ`)?.split("\0") ?? [];
        environments.set(pid, known);
        return known.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
      },
    };
  }
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    // The process ended meanwhile or belongs to somebody else: both mean "not ours to see".
    return undefined;
  }
}

function rowsFromProc(): ReadonlyMap<number, ProcessRow> {
  const rows = new Map<number, ProcessRow>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProc(`${name}/stat`);
    if (stat === undefined) continue;
    // After the command, which may itself hold spaces and parentheses: proc(5).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, parent, group, session] = fields;
    const [own = 0, system = 0, buried = 0, buriedSystem = 0] = fields.slice(11, 15).map(Number);
    const cpu = { own: own + system, buried: buried + buriedSystem };
    const pid = Number(name);
    const zombie = state === "Z" || state === "X";
    rows.set(pid, { pid, parent: Number(parent), group: Number(group), session: Number(session), zombie, cpu });
  }
  return rows;
}

async function rowsFromPs(): Promise<ReadonlyMap<number, ProcessRow>> {
  const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" };
  const options = { env, timeout: 10_000, maxBuffer: 16 << 20 };
  const output = await run("ps", ["-ax", "-o", "pid=,ppid=,pgid=,stat=,pcpu="], options).catch((cause: unknown) => {
    throw new AdapterError("ProcessListUnreadable", "Cannot list processes: `ps` failed", { cause });
  });
  const rows = new Map<number, ProcessRow>();
  for (const line of output.stdout.split("\n")) {
    const [pid, parent, group, state, share] = line.trim().split(/\s+/);
    if (pid === undefined || pid === "" || state === undefined) continue;
    const zombie = state.startsWith("Z");
    rows.set(Number(pid), {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      session: undefined,
      zombie,
      // Some languages write a comma; LC_ALL is C here, but not every `ps` cares.
      cpu: { own: Number((share ?? "0").replace(",", ".")) || 0, buried: 0 },
    });
  }
  return rows;
}
