import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { BeadFilter } from "../../domain/work-graph/queries/bead-filter.ts";
import { selectBeads } from "../../domain/work-graph/queries/bead-filter.ts";
import type { SortKey } from "../../domain/work-graph/queries/sort-beads.ts";
import { sortBeads } from "../../domain/work-graph/queries/sort-beads.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { findBead } from "../access/find-bead.ts";
import { scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Call } from "../command.ts";
import { usageError } from "../grammar/usage-error.ts";
import type { ListedBead } from "../output/listing.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { filterFrom, statusFilter, timeTest } from "./bead-filter-flags.ts";

export interface StoreFilter {
  readonly graph: WorkGraph;
  readonly statuses: StatusBook;
  /** Statuses that the flags name; undefined: none were named. */
  readonly wanted: readonly string[] | undefined;
}

/** The flags of a call as a filter; ids may be parts, since this is a read. */
export function callFilter({ flags, now, context }: Call): BeadFilter {
  return filterFrom({ flags, now, idOf: (id) => findBead(id, context).record.id });
}

/** The beads that the flags of a call select in its stores; `more` narrows or widens what they say. */
export async function selectedBeads(
  call: Call,
  more: (store: StoreFilter) => BeadFilter,
): Promise<readonly ListedBead[]> {
  const filter = callFilter(call);
  const fits = timeTest(call);
  const found: ListedBead[] = [];
  for (const graph of scopeOf(call)) {
    const statuses = statusesOf(await settingsOf(graph, call.context));
    const wanted = statusFilter(call.flags, statuses);
    const status = wanted === undefined ? {} : { status: wanted };
    for (const record of selectBeads(graph, { ...filter, ...status, ...more({ graph, statuses, wanted }) }))
      if (fits(record)) found.push({ graph, record });
  }
  return found;
}

const fields = ["priority", "created", "updated", "closed", "due", "status", "id", "title", "type", "assignee"];

/** A field to sort by. Throws TownError `Usage`. */
export function sortField(text: string): SortKey {
  if (fields.includes(text)) return text as SortKey;
  throw usageError(`invalid sort field "${text}"`, `sort by ${fields.join(", ")}`);
}

/** An order of ready work. Throws TownError `Usage`. */
export function sortPolicy(text: string): SortKey {
  if (text === "priority" || text === "oldest" || text === "hybrid") return text;
  throw usageError(`invalid sort policy "${text}"`, "sort by priority, oldest or hybrid");
}

/** Beads of several stores in one order. */
export function inOrder(
  found: readonly ListedBead[],
  key: SortKey,
  { now, flags }: Pick<Call, "now" | "flags">,
): readonly ListedBead[] {
  const byRecord = new Map<BeadRecord, ListedBead>(found.map((bead) => [bead.record, bead]));
  const records = sortBeads([...byRecord.keys()], key, { nowMs: now, reverse: flags.isSet("reverse") });
  return records.map((record) => byRecord.get(record)).filter((bead) => bead !== undefined);
}
