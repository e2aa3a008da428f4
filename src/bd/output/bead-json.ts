import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { isDigest } from "../../domain/work-graph/compaction/digest.ts";
import { blockingTypes, edgesOf } from "../../domain/work-graph/record/edges.ts";
import type { GraphReader } from "../../ports/work-graph.ts";

type Json = Readonly<Record<string, unknown>>;

/** Says of a digest that it is one. */
function digestMark(record: BeadRecord): Json {
  return isDigest(record) ? { is_digest: true } : {};
}

/** A bead as `list`, `ready` and most commands print it: its dependencies are edges, its comments a number. */
export function listedBead(graph: GraphReader, record: BeadRecord): Json {
  const { id, title, comments: _comments, ...fields } = record;
  const parent = graph.parentOf(record.id);
  return {
    id,
    title,
    ...fields,
    ...digestMark(record),
    dependency_count: edgesOf(record).length,
    dependent_count: graph.dependentsOf(record.id).length,
    comment_count: commentCount(record),
    ...(parent === undefined ? {} : { parent: parent.id }),
  };
}

export function commentCount(record: BeadRecord): number {
  return Array.isArray(record.comments) ? record.comments.length : 0;
}

/** Without edges and comments: as it is shown inside of another bead. */
export function shortBead(record: BeadRecord): Json {
  const { id, title, comments: _comments, dependencies: _edges, ...fields } = record;
  return { id, title, ...fields, ...digestMark(record) };
}

/** A bead as `show` prints it: its dependencies and dependents are beads with the type of the edge. */
export function shownBead(
  graph: GraphReader,
  record: BeadRecord,
  lookup: (id: string) => BeadRecord | undefined,
): Json {
  const related = (id: string, type: string): Json => {
    const other = lookup(id);
    return other === undefined
      ? { id, missing: true, dependency_type: type }
      : { ...shortBead(other), dependency_type: type };
  };
  const dependencies = edgesOf(record).map((edge) => related(edge.depends_on_id, edge.type));
  const dependents = graph.dependentsOf(record.id).map((edge) => related(edge.issue_id, edge.type));
  const children = graph.childrenOf(record.id);
  const parent = graph.parentOf(record.id);
  const { id, title, ...fields } = record;
  return {
    id,
    title,
    ...fields,
    ...digestMark(record),
    labels: record.labels ?? [],
    dependencies,
    dependents,
    comments: record.comments ?? [],
    dependency_count: dependencies.length,
    dependent_count: dependents.length,
    comment_count: commentCount(record),
    ...(parent === undefined ? {} : { parent: parent.id }),
    ...(record.issue_type === "epic"
      ? {
          epic_total_children: children.length,
          epic_closed_children: children.filter(({ status }) => status === "closed").length,
        }
      : {}),
  };
}

/** Ids of open beads that a record waits for itself. */
export function openBlockerIds(graph: GraphReader, record: BeadRecord): readonly string[] {
  const known = graph.blockersOf(record.id).map(({ id }) => id);
  const external = edgesOf(record)
    .filter((edge) => blockingTypes.has(edge.type) && edge.depends_on_id.startsWith("external:"))
    .map((edge) => edge.depends_on_id);
  return external.length > 0 && graph.isBlocked(record.id) ? [...known, ...external] : known;
}
