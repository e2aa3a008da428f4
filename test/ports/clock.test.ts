import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { SessionObserver } from "../../src/kinds/session/session-observer.ts";
import { sleepUnlessWoken } from "../../src/ports/clock.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { Objects } from "../../src/ports/objects.ts";
import { MemorySessions } from "../../src/simulation/memory-sessions.ts";
import { virtualClock } from "../turn.ts";

/** What a signal keeps: listeners, and signals that were made of it by `AbortSignal.any`, whatever became of them. */
function keptBy(signal: AbortSignal): number {
  const made = Object.getOwnPropertySymbols(signal)
    .filter(({ description }) => description === "kDependantSignals")
    .map((symbol) => (signal as unknown as Record<symbol, { readonly size: number } | undefined>)[symbol]?.size ?? 0);
  return getEventListeners(signal, "abort").length + made.reduce((sum, each) => sum + each, 0);
}

describe("sleepUnlessWoken", () => {
  it("given a sleep, when it is woken, stopped or over, then it resolves and the long-lived signal keeps nothing of it", async () => {
    const clock = virtualClock();
    const stopping = new AbortController();
    const sleep = (wake = new AbortController()) => {
      const state = { over: false, wake };
      void sleepUnlessWoken(clock, 1_000, { wake, stopping: stopping.signal }).then(() => (state.over = true));
      return state;
    };
    const first = sleep();
    await clock.advance(999);
    expect([first.over, keptBy(stopping.signal)]).toEqual([false, 1]);
    await clock.advance(1);
    expect([first.over, keptBy(stopping.signal)]).toEqual([true, 0]);
    const woken = sleep();
    woken.wake.abort();
    await clock.settle();
    expect([woken.over, keptBy(stopping.signal)]).toEqual([true, 0]);
    const stopped = sleep();
    stopping.abort();
    await clock.settle();
    expect([stopped.over, stopped.wake.signal.aborted, keptBy(stopping.signal)]).toEqual([true, true, 0]);
    const late = sleep();
    await clock.settle();
    expect(late.over).toBe(true);
  });

  it("given a controller that looks at its sessions for hours, when it looks on, then the signal that ends it keeps one sleep", async () => {
    const clock = virtualClock();
    const sessions = new MemorySessions({ clock, resolve: () => undefined });
    const objects = { publish: () => Promise.resolve(), patchStatus: () => Promise.resolve() } as unknown as Objects;
    const observer = new SessionObserver({ clock, sessions, objects, log: silentLog });
    const ending = new AbortController();
    const over = observer.run(ending.signal);
    await clock.advance(3_600_000);
    expect(keptBy(ending.signal)).toBe(1);
    ending.abort();
    await over;
  });
});
