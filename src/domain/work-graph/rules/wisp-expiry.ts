import type { BeadRecord } from "../bead.ts";
import type { GraphIndex } from "../index/graph-index.ts";
import { wispLifetimeMs } from "../record/bead-types.ts";
import { parentIdsOf } from "../record/edges.ts";
import { isClaimed } from "../record/facts.ts";
import { timeOf } from "../record/stamp.ts";

/**
 * Wisps that have outlived their class since their last change, to be removed. A wisp and everything below it live and go
 * together: a step that was done yesterday stays while its cycle runs. What somebody holds, what `no_history` keeps, and
 * what a bead outside still waits for or belongs to stays.
 */
export function expiredWisps(index: GraphIndex, nowMs: number): readonly string[] {
  const families = new Map<string, string[]>();
  for (const record of index.wisps()) {
    const root = rootOf(index, record);
    const family = families.get(root);
    if (family === undefined) families.set(root, [record.id]);
    else family.push(record.id);
  }
  let expired: readonly string[] = [];
  for (const family of families.values()) {
    if (family.every((id) => hasOutlived(index.record(id), nowMs)) && !isNeeded(index, new Set(family)))
      expired = expired.concat(family);
  }
  return expired;
}

/** The uppermost wisp above a wisp. */
function rootOf(index: GraphIndex, wisp: BeadRecord): string {
  const seen = new Set<string>();
  let root = wisp;
  while (!seen.has(root.id)) {
    seen.add(root.id);
    const above = parentIdsOf(root).map((id) => index.record(id));
    const parent = above.find((record) => record?.ephemeral === true);
    if (parent === undefined) break;
    root = parent;
  }
  return root.id;
}

function hasOutlived(record: BeadRecord | undefined, nowMs: number): boolean {
  if (record === undefined) return true;
  if (record["no_history"] === true || isClaimed(record)) return false;
  return (timeOf(record.updated_at) ?? nowMs) + wispLifetimeMs(record["wisp_type"]) <= nowMs;
}

function isNeeded(index: GraphIndex, family: ReadonlySet<string>): boolean {
  for (const id of family) {
    for (const { issue_id: other } of index.edgesTo(id)) {
      const record = family.has(other) ? undefined : index.record(other);
      if (record !== undefined && !index.isSettled(record)) return true;
    }
  }
  return false;
}
