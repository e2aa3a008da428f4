import { randomUUID } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";
import { type IdentitySource, signal } from "../process-identity.ts";
import { ProcessList, type ProcessRow } from "./process-list.ts";

const KILL_ROUNDS_MS = [20, 50, 100, 300, 500, 1_000];

/**
 * Everything that one child of this process starts, also what outlives it and what left its process session, told by:
 * descent from the child; this process's own group, as far as it was not in it before the child; and a variable in the
 * environment, where that can be read (Linux).
 *
 * Guarantees: signals go only to processes found to belong to it immediately before; never to this process, what started
 * it, or what was there before the child.
 */
export class Offspring {
  /** To be put into the child's environment. */
  readonly variable = { name: "TOWN_TURN", value: randomUUID() } as const;
  readonly #clock: Clock;
  readonly #list: ProcessList;
  readonly #before: ReadonlySet<number>;

  private constructor(clock: Clock, list: ProcessList, before: ReadonlySet<number>) {
    this.#clock = clock;
    this.#list = list;
    this.#before = before;
  }

  /** To be called before the child is started. Throws AdapterError `ProcessListUnreadable`. */
  static async expect(
    clock: Clock,
    source: IdentitySource = process.platform === "linux" ? "proc" : "ps",
  ): Promise<Offspring> {
    const list = new ProcessList(source, clock);
    const { rows } = await list.snapshot();
    return new Offspring(clock, list, new Set(rows.keys()));
  }

  /**
   * Ends all of it: SIGTERM, after `graceMs` SIGKILL. `child` answers with its pid as long as it was not reaped; a pid
   * that may be another process's by now says nothing.
   */
  async end(child: () => number | undefined, options: { readonly graceMs: number }): Promise<void> {
    const clock = this.#clock;
    const asked = new Set<number>();
    const deadline = clock.monotonicMs() + options.graceMs;
    let alive = await this.#members(child);
    for (let waitMs = 10; alive.length > 0 && clock.monotonicMs() < deadline; waitMs = Math.min(waitMs * 2, 100)) {
      for (const pid of alive) if (!asked.has(pid)) signal(pid, "SIGTERM");
      for (const pid of alive) asked.add(pid);
      await clock.sleep(Math.min(waitMs, deadline - clock.monotonicMs()));
      alive = await this.#members(child);
    }
    for (const waitMs of KILL_ROUNDS_MS) {
      if (alive.length === 0) return;
      for (const pid of alive) signal(pid, "SIGKILL");
      await clock.sleep(waitMs);
      alive = await this.#members(child);
    }
  }

  async #members(child: () => number | undefined): Promise<readonly number[]> {
    const snapshot = await this.#list.snapshot();
    const { rows } = snapshot;
    const own = rows.get(process.pid);
    const first = child();
    const belongs = (row: ProcessRow): boolean =>
      row.pid === first ||
      (!this.#before.has(row.pid) && row.group === own?.group) ||
      snapshot.variable(row.pid, this.variable.name) === this.variable.value;
    const others = [...rows.values()].filter((row) => !row.zombie && row.pid !== process.pid);
    const found = new Set(others.filter(belongs).map((row) => row.pid));
    for (let before = -1; before !== found.size; ) {
      before = found.size;
      for (const row of others) if (found.has(row.parent)) found.add(row.pid);
    }
    return [...found];
  }
}
