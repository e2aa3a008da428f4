/** When the next session may start, given when others did; 0: at once. Starts ahead of the clock are unknown ones. Pure. */
export function nextStartSlot(startsMs: readonly number[], perMinute: number, now: number): number {
  const recent = startsMs.filter((startMs) => startMs > now - 60_000 && startMs <= now).toSorted((a, b) => a - b);
  const blocking = recent[recent.length - perMinute];
  return blocking === undefined ? 0 : blocking + 60_000;
}
