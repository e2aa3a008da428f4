import { isRecord, jsonEqual } from "./equality.ts";

type JsonRecord = Readonly<Record<string, unknown>>;

/**
 * RFC 7386: the target with the patch merged in; null removes a key, lists are replaced. Neither argument changes.
 * Parts that the patch does not touch are shared with the target.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else define(result, key, mergePatch(Object.hasOwn(result, key) ? result[key] : undefined, value));
  }
  return result;
}

/** One patch that does what `first`, then `second` do. Removals are kept as nulls. */
export function composePatches(first: JsonRecord, second: JsonRecord): JsonRecord {
  const result: Record<string, unknown> = { ...first };
  for (const [key, value] of Object.entries(second)) {
    if (value === undefined) continue;
    const former = Object.hasOwn(result, key) ? result[key] : undefined;
    define(result, key, isRecord(former) && isRecord(value) ? composePatches(former, value) : value);
  }
  return result;
}

/** The smallest merge patch that turns `before` into `after`. */
export function patchBetween(before: JsonRecord, after: JsonRecord): JsonRecord {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(before)) {
    if (!Object.hasOwn(after, key) || after[key] === undefined) define(patch, key, null);
  }
  for (const [key, value] of Object.entries(after)) {
    const former = Object.hasOwn(before, key) ? before[key] : undefined;
    if (value === undefined || jsonEqual(former, value)) continue;
    define(patch, key, isRecord(former) && isRecord(value) ? patchBetween(former, value) : value);
  }
  return patch;
}

/** Assignment that keeps a key named `__proto__` an ordinary key. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
