import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { parseStamp } from "../record/stamp.ts";
import { structureProblem } from "../record/structure.ts";

/**
 * A line of a file as the store keeps it. Values are left as they are wherever that does no harm, so that they go out again
 * as they came in; only what the graph rests on is made whole: `wisp` of older files becomes `ephemeral`, a missing status
 * is open, type task and priority 0 (as Beads reads it), and edges belong to the record that holds them.
 * No `record`: the line cannot be used, and `note` says why.
 */
export function importedRecord(
  value: Readonly<Record<string, unknown>>,
  nowMs: number,
): { readonly record?: BeadRecord; readonly note?: string } {
  const { _type: _, wisp, ...rest } = value;
  const id = typeof value["id"] === "number" ? String(value["id"]) : value["id"];
  if (typeof id !== "string") return { note: "`id` is missing" };
  const created = timeText(value["created_at"]) ?? timeText(value["updated_at"]) ?? new Date(nowMs).toISOString();
  const { edges, note } = ownEdges(id, value["dependencies"]);
  const record = {
    ...rest,
    id,
    status: typeof value["status"] === "string" && value["status"] !== "" ? value["status"] : "open",
    priority: value["priority"] ?? 0,
    issue_type: typeof value["issue_type"] === "string" && value["issue_type"] !== "" ? value["issue_type"] : "task",
    created_at: created,
    updated_at: timeText(value["updated_at"]) ?? created,
    ...(wisp === true ? { ephemeral: true } : {}),
    ...(edges === undefined ? {} : { dependencies: edges }),
  };
  const problem = structureProblem(record);
  if (problem !== undefined) return { note: problem };
  const whole = record as unknown as BeadRecord;
  return note === undefined ? { record: whole } : { record: whole, note };
}

function timeText(value: unknown): string | undefined {
  return typeof value === "string" && parseStamp(value) !== undefined ? value : undefined;
}

function ownEdges(id: string, value: unknown): { readonly edges?: readonly DependencyEdge[]; readonly note?: string } {
  if (!Array.isArray(value)) return {};
  const edges: DependencyEdge[] = [];
  let strangers = 0;
  for (const item of value as readonly unknown[]) {
    const edge = (item ?? {}) as Partial<DependencyEdge>;
    if (
      typeof edge.depends_on_id !== "string" ||
      edge.depends_on_id === "" ||
      (edge.issue_id !== undefined && edge.issue_id !== id)
    )
      strangers++;
    else if (edge.issue_id === id && typeof edge.type === "string") edges.push(edge as DependencyEdge);
    else
      edges.push({
        ...edge,
        issue_id: id,
        depends_on_id: edge.depends_on_id,
        type: typeof edge.type === "string" && edge.type !== "" ? edge.type : "blocks",
      });
  }
  return strangers === 0
    ? { edges }
    : { edges, note: `${strangers} dependencies of ${id} belong to no or to another issue and are left out` };
}
