import { VirtualClock } from "../src/simulation/virtual-clock.ts";

/** One full turn of the event loop: everything that is ready has run. */
export function turn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

export function virtualClock(startMs?: number): VirtualClock {
  return new VirtualClock({ turn, ...(startMs === undefined ? {} : { startMs }) });
}
