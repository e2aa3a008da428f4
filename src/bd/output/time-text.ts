import { timeOf } from "../../domain/work-graph/record/stamp.ts";

/** `2026-11-22 18:05Z`; the text itself when it is no time. */
export function timeText(time: string | number | undefined): string {
  const ms = typeof time === "number" ? time : timeOf(time);
  if (ms === undefined) return String(time ?? "");
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")}Z`;
}

/** `3d ago`, `in 2h`, in the largest unit that counts. */
export function agoText(ms: number, now: number): string {
  const text = spanText(Math.abs(now - ms));
  return ms > now ? `in ${text}` : `${text} ago`;
}

export function spanText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1_000)}s`;
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
