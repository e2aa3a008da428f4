/**
 * A hybrid logical time as it stands in `updated_at`: RFC 3339, where the digits below the millisecond are the logical
 * part. So the stamp needs no key of its own and every reader of Beads files understands it as a time.
 */
export interface Stamp {
  /** ms since the epoch. */
  readonly ms: number;
  /** Logical part, 0 to 999 999 (printed as nanoseconds). */
  readonly tick: number;
}

const pattern = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:?\d\d)$/;
const tickStep = 1000;
const tickEnd = 1_000_000;

/** How far ahead of the wall clock a foreign stamp may pull ours, ms. */
export const maxClockLeadMs = 5 * 60_000;

export function parseStamp(text: unknown): Stamp | undefined {
  if (typeof text !== "string") return undefined;
  const parts = pattern.exec(text);
  if (parts === null) return undefined;
  const [, date, time, fraction = "", zone = "Z"] = parts;
  const seconds = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(seconds)) return undefined;
  const nanos = Number(fraction.slice(0, 9).padEnd(9, "0"));
  return { ms: seconds + Math.floor(nanos / 1_000_000), tick: nanos % 1_000_000 };
}

export function formatStamp(stamp: Stamp): string {
  const text = new Date(stamp.ms).toISOString();
  if (stamp.tick === 0) return text;
  const digits = String(stamp.tick).padStart(6, "0").replace(/000$/, "");
  return `${text.slice(0, -1)}${digits}Z`;
}

export function compareStamps(a: Stamp, b: Stamp): number {
  return a.ms - b.ms || a.tick - b.tick;
}

/** ms of an RFC 3339 text; undefined when it is none. */
export function timeOf(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  // The common form first: Date.parse reads it right and is several times faster than the pattern.
  if (text.length === 24 && text.endsWith("Z")) {
    const ms = Date.parse(text);
    if (!Number.isNaN(ms)) return ms;
  }
  return parseStamp(text)?.ms;
}

/** Order of two versions of a record by their `updated_at`; what is no time comes first. */
export function compareVersions(a: { readonly updated_at?: unknown }, b: { readonly updated_at?: unknown }): number {
  const never = { ms: 0, tick: 0 };
  return compareStamps(parseStamp(a.updated_at) ?? never, parseStamp(b.updated_at) ?? never);
}

/** The clock that stamps changes: never repeats, never goes back, and is later than every stamp it has seen. */
export class StampClock {
  #last: Stamp = { ms: 0, tick: 0 };

  next(nowMs: number): Stamp {
    const last = this.#last;
    if (nowMs > last.ms) this.#last = { ms: Math.floor(nowMs), tick: 0 };
    else if (last.tick + tickStep < tickEnd)
      this.#last = { ms: last.ms, tick: last.tick - (last.tick % tickStep) + tickStep };
    else this.#last = { ms: last.ms + 1, tick: 0 };
    return this.#last;
  }

  /** Takes note of a stamp made elsewhere. False when it is too far in the future to follow. */
  observe(stamp: Stamp, nowMs: number): boolean {
    if (stamp.ms > nowMs + maxClockLeadMs) return false;
    if (compareStamps(stamp, this.#last) > 0) this.#last = stamp;
    return true;
  }
}
