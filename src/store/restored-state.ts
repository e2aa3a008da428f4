import { keyOf, keyText, type ObjectKey } from "../resource/object-meta.ts";
import type { SideRecord, StoreRecord } from "./journal-format.ts";

type PutRecord = Extract<StoreRecord, { readonly t: "put" }>;

/** What a former run left, after replaying its records in order. */
export interface RestoredState {
  /** 0 without a journal. */
  readonly ceiling: number;
  readonly puts: readonly PutRecord[];
  /** By key text: what waits for objects that come back from the work graph. */
  readonly sides: ReadonlyMap<string, SideRecord>;
}

export function replay(records: readonly StoreRecord[]): RestoredState {
  const puts = new Map<string, PutRecord>();
  const sides = new Map<string, SideRecord>();
  let ceiling = 0;
  for (const record of records) {
    if (record.t === "ceiling") {
      ceiling = Math.max(ceiling, record.version);
      continue;
    }
    const id = keyText(keyOfRecord(record));
    puts.delete(id);
    sides.delete(id);
    if (record.t === "put") puts.set(id, record);
    if (record.t === "side") sides.set(id, record);
  }
  return { ceiling, puts: [...puts.values()], sides };
}

function keyOfRecord(record: Exclude<StoreRecord, { readonly t: "ceiling" }>): ObjectKey {
  if (record.t === "put") return keyOf(record.object);
  return record.namespace === undefined
    ? { kind: record.kind, name: record.name }
    : { kind: record.kind, namespace: record.namespace, name: record.name };
}
