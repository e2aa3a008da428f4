import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { timestamp } from "../resource/condition.ts";

/** RFC 3339 in whole seconds from any date text of a record; undefined when it is none. */
export function seconds(text: unknown): string | undefined {
  const ms = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : timestamp(ms);
}

/** An object without its undefined entries. */
export function defined<T extends Record<string, unknown>>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Text of a metadata entry; undefined when absent or of another type. */
export function metaText(record: BeadRecord, key: string): string | undefined {
  const value = record.metadata?.[key];
  return typeof value === "string" ? value : undefined;
}

export function metaNumber(record: BeadRecord, key: string): number {
  const value = record.metadata?.[key];
  return typeof value === "number" ? value : 0;
}
