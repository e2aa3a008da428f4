import type { BeadRecord, DependencyEdge } from "../../../src/domain/work-graph/bead.ts";

/** A record with defaults for tests. Edges are given as `[target, type, metadata?]`. */
export function bead(
  id: string,
  fields: Partial<Omit<BeadRecord, "dependencies">> & {
    readonly needs?: readonly (readonly [string, string, string?])[];
  } = {},
): BeadRecord {
  const { needs, ...rest } = fields;
  const edges: DependencyEdge[] = (needs ?? []).map(([target, type, metadata]) => ({
    issue_id: id,
    depends_on_id: target,
    type,
    ...(metadata === undefined ? {} : { metadata }),
  }));
  return {
    id,
    title: id,
    status: "open",
    priority: 2,
    issue_type: "task",
    created_at: "2026-01-01T00:00:00.000Z",
    updated_at: "2026-01-01T00:00:00.000Z",
    ...rest,
    ...(edges.length === 0 ? {} : { dependencies: edges }),
  } as BeadRecord;
}

export const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
