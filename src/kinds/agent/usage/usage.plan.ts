import type { Plan } from "../../../resource/controller.ts";
import type { UsageAgent, UsageObserved } from "./usage.observe.ts";

export interface UsageAction {
  readonly do: "ReadUsage";
  readonly session: string;
  readonly path: string;
  /** Nothing comes after this look. */
  readonly final: boolean;
}

/** While a program runs its record is read this often at most: each look is a change in the work graph's history. */
const READ_EVERY_MS = 5 * 60_000;
/** A look takes this much; a longer stretch is read in several. */
export const MOST_BYTES = 16 * 1024 * 1024;

/** Reads what is new in programs' records: now and then while one is written, and to its end once it is over. */
export function planUsage(_object: UsageAgent, observed: UsageObserved): Plan<UsageAction> {
  const { records, running, now } = observed;
  const actions: UsageAction[] = [];
  let requeueAfterMs: number | undefined;
  for (const { session, path, isOver, size, seen, readMs } of records) {
    const isNew = size !== seen;
    if (isOver) actions.push({ do: "ReadUsage", session, path, final: size - seen <= MOST_BYTES });
    else {
      const dueMs = running ? Math.max(0, readMs + READ_EVERY_MS - now) : 0;
      if (isNew && dueMs === 0) actions.push({ do: "ReadUsage", session, path, final: false });
      if (running) requeueAfterMs = dueMs === 0 ? READ_EVERY_MS : dueMs;
    }
  }
  return { actions, ...(requeueAfterMs === undefined ? {} : { requeueAfterMs }) };
}
