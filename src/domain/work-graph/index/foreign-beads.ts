import type { BeadRecord } from "../bead.ts";

/** What a store can know about beads of other stores. All reads are from memory. */
export interface ForeignBeads {
  /**
   * The record of another store; `Missing`: that store has none of this id (so nothing to wait for); `Unavailable`: the
   * id belongs to a store that cannot be read now (so it blocks); undefined: no other store owns the id.
   */
  lookup(id: string): BeadRecord | "Missing" | "Unavailable" | undefined;
  /** Children that live in other stores are not asked for; a parent that does tells whether it holds its descendants. */
  holds(id: string): boolean;
  /** A closed record of that project carries the label `provides:<capability>`. */
  provides(project: string, capability: string): boolean;
}

/** A store on its own: foreign ids are unknown, and what nobody can vouch for is not provided. */
export const noForeignBeads: ForeignBeads = { lookup: () => undefined, holds: () => false, provides: () => false };
