const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 };
const DAY_MS = 86_400_000;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/**
 * When a limit ends, in milliseconds, from what a program says of it: a span (`in 3 hours 5 minutes`, `1h 20m`), a date or
 * time of day with or without a zone (`resets Oct 6, 1pm (Europe/Berlin)`, `try again at 3:05 PM`), an ISO time, or a
 * stamp of seconds. A time of day is the nearest one, which may have passed; one without a zone is local. Undefined when
 * nothing is understood.
 */
export function resetTimeOf(text: string, nowMs: number): number | undefined {
  return stamp(text) ?? isoTime(text) ?? span(text, nowMs) ?? wallTime(text, nowMs);
}

function stamp(text: string): number | undefined {
  const digits = /\b(1[0-9]{9})\b/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits) * 1000;
}

function isoTime(text: string): number | undefined {
  const iso = /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?/.exec(text)?.[0];
  const parsed = iso === undefined ? Number.NaN : Date.parse(iso);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function span(text: string, nowMs: number): number | undefined {
  const [whole] = /\b(?:in|after|for)\s+(?:\d+(?:\.\d+)?\s*(?:d|h|m|s)[a-z]*[\s,]*(?:and\s+)?)+/i.exec(text) ?? [];
  if (whole === undefined) return undefined;
  let total = 0;
  for (const [, amount, unit = ""] of whole.matchAll(/(\d+(?:\.\d+)?)\s*([dhms])/gi))
    total += Number(amount) * (UNIT_MS[unit.toLowerCase()] ?? 0);
  return total === 0 ? undefined : nowMs + Math.round(total);
}

const TIME = /\b(\d{1,2})(?::(\d{2}))?(?::\d{2})?\s*([ap])\.?m\b\.?|\b(\d{1,2}):(\d{2})\b/i;
const DATE = /\b([a-z]{3})[a-z]*\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?/i;

function wallTime(text: string, nowMs: number): number | undefined {
  const time = TIME.exec(text);
  if (time === null) return undefined;
  const [, hour12, minute12 = "0", half, hour24 = "0", minute24 = "0"] = time;
  const hour = hour12 === undefined ? Number(hour24) : (Number(hour12) % 12) + (half?.toLowerCase() === "p" ? 12 : 0);
  const minute = hour12 === undefined ? Number(minute24) : Number(minute12);
  const zone = zoneOf(text);
  const today = partsIn(zone, nowMs);
  const [, monthName = "", day, year] = DATE.exec(text) ?? [];
  const month = MONTHS.indexOf(monthName.toLowerCase());
  if (month === -1) {
    const near = [-1, 0, 1].map((days) => instant(daysLater({ ...today, hour, minute }, days), zone));
    return near.toSorted((a, b) => Math.abs(a - nowMs) - Math.abs(b - nowMs))[0];
  }
  const dated = { year: Number(year ?? today.year), month, day: Number(day), hour, minute };
  const at = instant(dated, zone);
  return year === undefined && at < nowMs - DAY_MS ? instant({ ...dated, year: dated.year + 1 }, zone) : at;
}

/** A zone named in parentheses or as UTC; undefined is the local one. */
function zoneOf(text: string): string | undefined {
  const named = /\(([A-Za-z]+(?:\/[A-Za-z_+-]+)*)\)/.exec(text)?.[1] ?? /\b(UTC|GMT)\b/.exec(text)?.[1];
  if (named === undefined) return undefined;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: named });
    return named;
  } catch {
    return undefined;
  }
}

interface WallClock {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

function partsIn(zone: string | undefined, atMs: number): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    ...(zone === undefined ? {} : { timeZone: zone }),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const parts = new Map(format.formatToParts(new Date(atMs)).map(({ type, value }) => [type, Number(value)]));
  const of = (type: string): number => parts.get(type as Intl.DateTimeFormatPartTypes) ?? 0;
  return { year: of("year"), month: of("month") - 1, day: of("day"), hour: of("hour"), minute: of("minute") };
}

function daysLater(clock: WallClock, days: number): WallClock {
  const next = new Date(Date.UTC(clock.year, clock.month, clock.day + days));
  return { ...clock, year: next.getUTCFullYear(), month: next.getUTCMonth(), day: next.getUTCDate() };
}

/** The instant at which clocks of a zone show this; a second look corrects for a change of offset in between. */
function instant(clock: WallClock, zone: string | undefined): number {
  const wanted = utc(clock);
  let at = wanted;
  for (let look = 0; look < 2; look += 1) at += wanted - utc(partsIn(zone, at));
  return at;
}

function utc({ year, month, day, hour, minute }: WallClock): number {
  return Date.UTC(year, month, day, hour, minute);
}
