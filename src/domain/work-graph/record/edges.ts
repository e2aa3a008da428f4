import type { BeadRecord, DependencyEdge } from "../bead.ts";

export const parentChild = "parent-child";

/** Types whose edge can hold back the issue that has it. `parent-child` passes the parent's state down instead. */
export const blockingTypes: ReadonlySet<string> = new Set([
  "blocks",
  "conditional-blocks",
  "waits-for",
  "merge-blocks",
]);

/** Types Beads and Town know; any other text of 1 to 50 characters is kept and has no effect. */
export const knownEdgeTypes: readonly string[] = [
  ...blockingTypes,
  parentChild,
  "related",
  "relates-to",
  "discovered-from",
  "replies-to",
  "duplicates",
  "supersedes",
  "authored-by",
  "assigned-to",
  "approved-by",
  "attests",
  "tracks",
  "until",
  "caused-by",
  "validates",
  "delegated-from",
];

const noEdges: readonly DependencyEdge[] = [];

export function edgesOf(record: BeadRecord | undefined): readonly DependencyEdge[] {
  const edges = record?.dependencies;
  return Array.isArray(edges) ? edges : noEdges;
}

/** Ids of the parents by edge; almost always none or one. */
export function parentIdsOf(record: BeadRecord | undefined): readonly string[] {
  const ids: string[] = [];
  for (const edge of edgesOf(record)) if (edge.type === parentChild) ids.push(edge.depends_on_id);
  return ids;
}

export interface ExternalTarget {
  readonly project: string;
  readonly capability: string;
}

/** `external:<project>:<capability>`: satisfied once that project ships the capability. */
export function externalTarget(id: string): ExternalTarget | undefined {
  if (!id.startsWith("external:")) return undefined;
  const [, project = "", ...rest] = id.split(":");
  return { project, capability: rest.join(":") };
}

/** Label by which a closed issue offers a capability to other projects. */
export function providesLabel(capability: string): string {
  return `provides:${capability}`;
}

export interface WaitsFor {
  readonly gate: "all-children" | "any-children";
  readonly spawnerId: string;
}

/** What a waits-for edge waits for; unreadable metadata means the default, all children of the target. */
export function waitsForOf(edge: DependencyEdge): WaitsFor {
  const metadata = jsonObject(edge.metadata);
  const spawner = metadata["spawner_id"];
  return {
    gate: metadata["gate"] === "any-children" ? "any-children" : "all-children",
    spawnerId: typeof spawner === "string" && spawner !== "" ? spawner : edge.depends_on_id,
  };
}

function jsonObject(text: unknown): Readonly<Record<string, unknown>> {
  if (typeof text !== "string" || text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}
