import type { Clock } from "../ports/clock.ts";
import type { ProcessLoad } from "../ports/process-load.ts";
import type { IdentitySource } from "./process-identity.ts";
import { ProcessList, type ProcessRow } from "./sessions/process-list.ts";

const SAMPLE_MS = 1_000;
/** Of one core. An agent program at rest that runs below a wrapper takes about a hundredth. */
const BUSY_SHARE = 0.1;
/** Unit of times in /proc: USER_HZ, which is 100 on every Linux there is. */
const TICK_MS = 10;

/** Shares of one core: a process's own, and that of children which it has buried. */
interface Share {
  readonly own: number;
  readonly buried: number;
}

interface Load {
  readonly children: ReadonlyMap<number, readonly number[]>;
  readonly shares: ReadonlyMap<number, Share>;
}

/**
 * Reads the load from /proc, as the difference of two looks, or from one run of `ps`, whose share is that of the last
 * minute or so.
 */
export class NodeProcessLoad implements ProcessLoad {
  readonly #clock: Clock;
  readonly #source: IdentitySource;
  readonly #list: ProcessList;
  #pass: Promise<Load> | undefined;

  constructor(clock: Clock, source: IdentitySource = process.platform === "linux" ? "proc" : "ps") {
    this.#clock = clock;
    this.#source = source;
    this.#list = new ProcessList(source, clock);
  }

  async busyBelow(pids: readonly number[]): Promise<ReadonlySet<number>> {
    if (pids.length === 0) return new Set();
    this.#pass ??= this.#look().finally(() => {
      this.#pass = undefined;
    });
    // Nothing follows from a list that cannot be read.
    const load = await this.#pass.catch(() => undefined);
    return new Set(load === undefined ? [] : pids.filter((pid) => workBelow(pid, load) >= BUSY_SHARE));
  }

  async #look(): Promise<Load> {
    const { rows: before } = await this.#list.snapshot();
    if (this.#source === "ps") return { children: childrenOf(before), shares: new Map(mapped(before, lastMinute)) };
    const from = this.#clock.monotonicMs();
    await this.#clock.sleep(SAMPLE_MS);
    const { rows: after } = await this.#list.snapshot();
    const ticks = (this.#clock.monotonicMs() - from) / TICK_MS;
    const share = (row: ProcessRow): Share => {
      const former = before.get(row.pid);
      return {
        own: (row.cpu.own - (former?.cpu.own ?? 0)) / ticks,
        buried: (row.cpu.buried - (former?.cpu.buried ?? 0)) / ticks,
      };
    };
    return { children: childrenOf(after), shares: new Map(mapped(after, share)) };
  }
}

function lastMinute({ cpu }: ProcessRow): Share {
  return { own: cpu.own / 100, buried: 0 };
}

function mapped(
  rows: ReadonlyMap<number, ProcessRow>,
  share: (row: ProcessRow) => Share,
): readonly (readonly [number, Share])[] {
  return [...rows.values()].map((row) => [row.pid, share(row)] as const);
}

function childrenOf(rows: ReadonlyMap<number, ProcessRow>): ReadonlyMap<number, readonly number[]> {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of rows.values()) {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [pid]);
    else known.push(pid);
  }
  return children;
}

/** Of the programs themselves only what their dead children used, of everything below them all. */
function workBelow(first: number, { children, shares }: Load): number {
  let sum = 0;
  const left = (children.get(first) ?? []).map((pid) => ({ pid, isProgram: true }));
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { own = 0, buried = 0 } = shares.get(next.pid) ?? {};
    sum += buried + (next.isProgram ? 0 : own);
    for (const pid of children.get(next.pid) ?? []) left.push({ pid, isProgram: false });
  }
  return sum;
}
