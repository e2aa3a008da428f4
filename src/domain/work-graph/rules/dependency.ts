import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { cycleThrough } from "../index/cycles.ts";
import type { GraphIndex } from "../index/graph-index.ts";
import { prefixOf } from "../ids/parse-id.ts";
import { edgesOf, externalTarget, knownEdgeTypes, parentChild, parentIdsOf } from "../record/edges.ts";
import { withFields } from "../record/facts.ts";

/** The record with one more edge; returned as it is when it has that edge. Throws TownError naming what is wrong. */
export function withEdge(index: GraphIndex, record: BeadRecord, edge: DependencyEdge, prefix: string): BeadRecord {
  const { issue_id: id, depends_on_id: target, type } = edge;
  const fail = (reason: string, message: string, hint: string): TownError =>
    new TownError(reason, `Cannot make ${id} depend on ${target} (${type}): ${message}.`, { hint });
  if (type === "" || type.length > 50)
    throw fail("InvalidDependency", "the type must have 1 to 50 characters", `Types are ${knownEdgeTypes.join(", ")}.`);
  if (id === target) throw fail("SelfDependency", "a bead cannot depend on itself", "Name another bead.");
  const known = edgesOf(record).find((other) => other.depends_on_id === target);
  if (known?.type === type) return record;
  if (known !== undefined)
    throw fail(
      "DependencyExists",
      `it does already, as ${known.type}`,
      `Remove that dependency first: there is one per pair.`,
    );
  requireTarget(index, target, prefix, fail);
  const parent = type === parentChild ? parentIdsOf(record)[0] : undefined;
  if (parent !== undefined) throw fail("HasParent", `its parent is ${parent}`, "Remove that parent first.");
  const cycle = cycleThrough(index, edge);
  if (cycle !== undefined)
    throw fail(
      "DependencyCycle",
      `that closes a circle: ${[...cycle, cycle[0]].join(" → ")}`,
      "Take one of these dependencies away first: `town bd dep remove ID ID`.",
    );
  return withFields(record, { dependencies: [...edgesOf(record), edge] });
}

function requireTarget(
  index: GraphIndex,
  target: string,
  prefix: string,
  fail: (reason: string, message: string, hint: string) => TownError,
): void {
  if (externalTarget(target) !== undefined || index.record(target) !== undefined) return;
  const foreign = index.foreign.lookup(target);
  if (typeof foreign === "object" || foreign === "Unavailable") return;
  // An id of a rig that this town does not know yet may be written down; one that should be here must be here.
  if (foreign === undefined && prefixOf(target, [prefix]) !== prefix) return;
  throw fail("NotFound", `there is no bead ${target}`, "`town bd list` shows what exists.");
}

export function withoutEdge(record: BeadRecord, target: string): BeadRecord {
  const edges = edgesOf(record);
  const rest = edges.filter((edge) => edge.depends_on_id !== target);
  return rest.length === edges.length
    ? record
    : withFields(record, { dependencies: rest.length === 0 ? undefined : rest });
}
