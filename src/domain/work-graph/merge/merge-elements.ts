import type { BeadComment, DependencyEdge } from "../bead.ts";
import { canonicalJson, sameJson } from "../record/canonical.ts";

/**
 * Merges a collection element by element: what one side added is added, what one side removed is gone unless the other
 * side changed it. Elements of the base keep their order, new ones follow by `order`.
 */
function mergeElements<T>(
  lists: readonly (readonly T[] | undefined)[],
  keyOf: (item: T) => string,
  order: (item: T) => string,
): readonly T[] | undefined {
  const byKey = (list: readonly T[] | undefined): ReadonlyMap<string, T> =>
    new Map((Array.isArray(list) ? (list as readonly T[]) : []).map((item) => [keyOf(item), item]));
  const base = byKey(lists[0]);
  const a = byKey(lists[1]);
  const b = byKey(lists[2]);
  const kept: T[] = [];
  for (const [key, old] of base) {
    const item = mergedElement(old, a.get(key), b.get(key));
    if (item !== undefined) kept.push(item);
  }
  const added = new Map<string, T>();
  for (const [key, item] of [...a, ...b]) {
    if (base.has(key)) continue;
    const other = added.get(key);
    added.set(key, other === undefined ? item : preferred(other, item));
  }
  const all = [...kept, ...[...added.values()].sort((x, y) => (order(x) < order(y) ? -1 : 1))];
  return all.length === 0 ? undefined : all;
}

function mergedElement<T>(base: T, a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined && b === undefined) return undefined;
  if (a === undefined) return sameJson(base, b) ? undefined : b;
  if (b === undefined) return sameJson(base, a) ? undefined : a;
  if (sameJson(base, a)) return b;
  return sameJson(base, b) ? a : preferred(a, b);
}

// Elements carry no time of their change; any rule will do that both clones apply alike.
function preferred<T>(a: T, b: T): T {
  return canonicalJson(a) >= canonicalJson(b) ? a : b;
}

export function mergeLabels(...lists: readonly (readonly string[] | undefined)[]): readonly string[] | undefined {
  const merged = mergeElements(
    lists,
    (label) => label,
    (label) => label,
  );
  return merged === undefined ? undefined : [...merged].sort();
}

export function mergeEdges(
  ...lists: readonly (readonly DependencyEdge[] | undefined)[]
): readonly DependencyEdge[] | undefined {
  return mergeElements(
    lists,
    (edge) => edge.depends_on_id,
    (edge) => `${edge.created_at ?? ""} ${edge.depends_on_id}`,
  );
}

export function mergeComments(
  ...lists: readonly (readonly BeadComment[] | undefined)[]
): readonly BeadComment[] | undefined {
  return mergeElements(lists, commentKey, (comment) => `${comment.created_at} ${String(comment.id)}`);
}

// Before v1.0 Beads counted comments per database, so two clones give one number to different comments.
function commentKey(comment: BeadComment): string {
  return typeof comment.id === "string" ? comment.id : `${comment.id} ${comment.author} ${comment.created_at}`;
}
