import { parseStamp } from "../../domain/work-graph/record/stamp.ts";
import { usageError } from "../grammar/usage-error.ts";

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const weekdays = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const dayMs = 86_400_000;

/** ms of `90s`, `10m`, `6h`, `3d`, `2w`, `1h30m`. Throws TownError `Usage`. */
export function durationOf(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+)([smhdw])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text.trim())
    throw usageError(`invalid duration "${text}"`, "write 90s, 10m, 6h, 3d or 2w");
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMs[unit ?? ""] ?? 0), 0);
}

/**
 * RFC 3339 text of a time as bd takes it: `+6h`, `-2d`, `+1w`, `+1mo`, `today`, `tomorrow`, `next monday`, `friday`,
 * `2026-01-15`, or a full time. Days begin at 00:00 UTC. Throws TownError `Usage`.
 */
export function timeOfText(text: string, now: number): string {
  const wanted = text.trim().toLowerCase();
  const ms = offset(wanted, now) ?? namedDay(wanted, now) ?? written(text.trim());
  if (ms === undefined)
    throw usageError(
      `invalid time "${text}"`,
      "write +6h, +1d, +2w, tomorrow, next monday, 2026-01-15 or an RFC 3339 time",
    );
  return new Date(ms).toISOString();
}

function offset(text: string, now: number): number | undefined {
  const parts = /^(?:in )?([+-]?)\s*(\d+)\s*(s|m|min|minutes?|h|hours?|d|days?|w|weeks?|mo|months?|y|years?)$/.exec(
    text,
  );
  if (parts === null) return undefined;
  const [, sign = "", digits = "", unit = ""] = parts;
  if (sign === "" && !text.startsWith("in ")) return undefined;
  const count = Number(digits) * (sign === "-" ? -1 : 1);
  if (unit.startsWith("mo") || unit.startsWith("y")) {
    const date = new Date(now);
    date.setUTCMonth(date.getUTCMonth() + count * (unit.startsWith("y") ? 12 : 1));
    return date.getTime();
  }
  return now + count * (unitMs[unit[0] ?? ""] ?? 0);
}

function namedDay(text: string, now: number): number | undefined {
  const today = Math.floor(now / dayMs) * dayMs;
  if (text === "now") return now;
  if (text === "today") return today;
  if (text === "tomorrow") return today + dayMs;
  if (text === "yesterday") return today - dayMs;
  if (text === "next week") return today + 7 * dayMs;
  const day = weekdays.indexOf(text.replace(/^next /, ""));
  if (day < 0) return undefined;
  const ahead = (day - new Date(now).getUTCDay() + 7) % 7;
  return today + (ahead === 0 ? 7 : ahead) * dayMs;
}

function written(text: string): number | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) {
    const ms = Date.parse(`${text}T00:00:00Z`);
    return Number.isNaN(ms) ? undefined : ms;
  }
  return parseStamp(text)?.ms;
}
