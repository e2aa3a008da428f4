import { isRecord, jsonEqual } from "../resource/equality.ts";

/** Fields that name an item of a list, by preference. */
const NAMING_FIELDS = ["name", "id", "key"];

/**
 * For each item of `after` the index of the item of `before` that it continues, or undefined for a new one. Items are
 * told apart by a naming field, scalars by themselves; lists of anything else by what is alike at both ends and then by
 * position. No index occurs twice.
 */
export function matchItems(before: readonly unknown[], after: readonly unknown[]): readonly (number | undefined)[] {
  const named = namesOf(before, after);
  if (named === undefined) return byPosition(before, after);
  const index = new Map(named.before.map((name, at) => [name, at]));
  return named.after.map((name) => index.get(name));
}

function namesOf(
  before: readonly unknown[],
  after: readonly unknown[],
): { readonly before: readonly string[]; readonly after: readonly string[] } | undefined {
  for (const naming of [scalarName, ...NAMING_FIELDS.map((field) => (item: unknown) => fieldName(item, field))]) {
    const [old, next] = [before.map(naming), after.map(naming)];
    if (areNames(old) && areNames(next)) return { before: old, after: next };
  }
  return undefined;
}

function areNames(names: readonly (string | undefined)[]): names is readonly string[] {
  return names.every((name) => name !== undefined) && new Set(names).size === names.length;
}

function scalarName(item: unknown): string | undefined {
  return typeof item === "object" && item !== null ? undefined : JSON.stringify(item);
}

function fieldName(item: unknown, field: string): string | undefined {
  const name = isRecord(item) ? item[field] : undefined;
  return typeof name === "string" ? name : undefined;
}

function byPosition(before: readonly unknown[], after: readonly unknown[]): readonly (number | undefined)[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && jsonEqual(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && jsonEqual(before[before.length - 1 - tail], after[after.length - 1 - tail]))
    tail += 1;
  return after.map((_, at) => {
    if (at >= after.length - tail) return before.length - (after.length - at);
    return at < before.length - tail ? at : undefined;
  });
}
