import type { HistoryEntry } from "../ports/work-graph.ts";

/** Entries kept for one wisp: a heartbeat that is told for days must not grow. The first, its birth, always stays. */
const keptEntries = 200;

/** What happened to wisps. It is never in git: it lives in the log and the local state, and ends with the wisp. */
export class WispHistory {
  readonly #entries = new Map<string, HistoryEntry[]>();

  of(id: string): readonly HistoryEntry[] {
    return this.#entries.get(id) ?? [];
  }

  add(entries: Iterable<HistoryEntry>): void {
    for (const entry of entries) {
      const known = this.#entries.get(entry.id);
      if (known === undefined) this.#entries.set(entry.id, [entry]);
      else {
        known.push(entry);
        if (known.length > keptEntries) known.splice(1, 1);
      }
    }
  }

  /** The wisp is gone, or a bead of the branch from now on: what is known of it, and no longer kept here. */
  take(id: string): readonly HistoryEntry[] {
    const entries = this.of(id);
    this.#entries.delete(id);
    return entries;
  }
}
