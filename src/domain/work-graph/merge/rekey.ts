import type { BeadRecord } from "../bead.ts";
import { metadataOf, withFields } from "../record/facts.ts";
import { edgesOf } from "../record/edges.ts";
import { parseStamp } from "../record/stamp.ts";

/** The same id was given to two different beads: they were not born at one time by one maker. */
export function bornTwice(a: BeadRecord, b: BeadRecord): boolean {
  const [x, y] = [a, b].map(({ created_at: at }) => parseStamp(at));
  const sameTime =
    x !== undefined && y !== undefined ? x.ms === y.ms && x.tick === y.tick : a.created_at === b.created_at;
  return !sameTime || (a.created_by ?? "") !== (b.created_by ?? "");
}

/**
 * A record with ids replaced: its own, those its edges and comments name, and metadata values that are exactly such an id.
 * Returned as it is when it names none.
 */
export function withIdsReplaced(record: BeadRecord, ids: ReadonlyMap<string, string>): BeadRecord {
  const id = ids.get(record.id) ?? record.id;
  const moved = id !== record.id;
  const edges = edgesOf(record);
  const edgesTouched = moved || edges.some((edge) => ids.has(edge.depends_on_id));
  const metadata = metadataOf(record);
  const metadataTouched = Object.values(metadata).some((value) => typeof value === "string" && ids.has(value));
  if (!moved && !edgesTouched && !metadataTouched) return record;
  return withFields(record, {
    id,
    ...(edgesTouched && edges.length > 0
      ? {
          dependencies: edges.map((edge) => ({
            ...edge,
            issue_id: id,
            depends_on_id: ids.get(edge.depends_on_id) ?? edge.depends_on_id,
          })),
        }
      : {}),
    ...(moved && Array.isArray(record.comments)
      ? {
          comments: record.comments.map((comment) =>
            comment.issue_id === undefined ? comment : { ...comment, issue_id: id },
          ),
        }
      : {}),
    ...(metadataTouched || moved
      ? {
          metadata: {
            ...Object.fromEntries(
              Object.entries(metadata).map(([key, value]) => [
                key,
                typeof value === "string" ? (ids.get(value) ?? value) : value,
              ]),
            ),
            ...(moved ? { "town.formerId": record.id } : {}),
          },
        }
      : {}),
  });
}
