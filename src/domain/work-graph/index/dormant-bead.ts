import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { META } from "../bead.ts";
import { edgesOf } from "../record/edges.ts";
import { keyOf } from "../record/facts.ts";

/**
 * What indexes need to know of a closed record while nobody reads it: id, status, type, assignee, labels, key, and its edges
 * without who made them and when.
 */
export type DormantFacts = readonly [
  id: string,
  type: string,
  assignee: string | 0,
  labels: readonly string[] | 0,
  key: string | 0,
  edges: readonly DormantEdge[] | 0,
];

type DormantEdge = readonly [dependsOn: string, type: string, metadata?: string];

/** Records that may sleep: nothing but a person or a reopen asks for them, and old stores hold little else. */
export function mayBeDormant(record: BeadRecord): boolean {
  return record.status === "closed" && record.ephemeral !== true;
}

export function dormantFacts(record: BeadRecord): DormantFacts {
  const edges = edgesOf(record).map(
    ({ depends_on_id: on, type, metadata }): DormantEdge =>
      type === "waits-for" && metadata !== undefined ? [on, type, metadata] : [on, type],
  );
  return [
    record.id,
    record.issue_type,
    record.assignee ?? 0,
    Array.isArray(record.labels) && record.labels.length > 0 ? record.labels : 0,
    keyOf(record) ?? 0,
    edges.length === 0 ? 0 : edges,
  ];
}

/** A closed record that is in memory as text: most are never asked for, and reading them is what loading a store costs. */
export class DormantBead {
  readonly id: string;
  /** As far as indexes need it; never shown. */
  readonly facts: BeadRecord;
  readonly #read: () => BeadRecord;

  constructor(facts: DormantFacts, read: () => BeadRecord) {
    const [id, type, assignee, labels, key, edges] = facts;
    this.id = id;
    this.#read = read;
    this.facts = {
      id,
      title: "",
      status: "closed",
      priority: 0,
      issue_type: type,
      created_at: "",
      updated_at: "",
      ...(assignee === 0 ? {} : { assignee }),
      ...(labels === 0 ? {} : { labels }),
      ...(key === 0 ? {} : { metadata: { [META.key]: key } }),
      ...(edges === 0 ? {} : { dependencies: edges.map((edge) => edgeOf(id, edge)) }),
    };
  }

  /** The whole record. */
  wake(): BeadRecord {
    return this.#read();
  }
}

function edgeOf(id: string, [on, type, metadata]: DormantEdge): DependencyEdge {
  return { issue_id: id, depends_on_id: on, type, ...(metadata === undefined ? {} : { metadata }) };
}
