import type { BeadRecord, DependencyEdge } from "../bead.ts";
import type { StatusBook } from "../record/statuses.ts";
import type { ForeignBeads } from "./foreign-beads.ts";

/** The least that readiness and cycle checks need to know about a set of records. */
export interface RecordSource {
  readonly statuses: StatusBook;
  readonly foreign: ForeignBeads;
  /** The record, as far as indexes need it: its title, texts and times of change may be missing. Deleted ones are absent. */
  facts(id: string): BeadRecord | undefined;
  /** Its status alone. */
  statusOf(id: string): string | undefined;
  /** Edges of other records that point at `id`. */
  edgesTo(id: string): readonly DependencyEdge[];
}
