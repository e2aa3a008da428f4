import { usageError } from "./exit-codes.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `1h30m`, or a bare number of seconds, in milliseconds. Throws usage errors naming the flag. */
export function durationMs(text: string, flag: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text)
    throw usageError(`--${flag}: "${text}" is no duration`, "as 90s, 5m or 1h30m");
  return parts.reduce((sum, part) => sum + Number(part[1]) * (UNIT_MS[part[2] ?? ""] ?? 0), 0);
}
