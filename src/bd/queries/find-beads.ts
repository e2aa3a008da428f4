import type { BeadSketch } from "../../domain/work-graph/bead.ts";
import type { BeadFilter } from "../../domain/work-graph/queries/bead-filter.ts";
import { isSketchFilter, selectBeads, sketchTest } from "../../domain/work-graph/queries/bead-filter.ts";
import type { SortKey } from "../../domain/work-graph/queries/sort-beads.ts";
import { isSketchOrder, sortBy } from "../../domain/work-graph/queries/sort-beads.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { findBead } from "../access/find-bead.ts";
import { scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Call } from "../command.ts";
import { usageError } from "../grammar/usage-error.ts";
import type { ListedBead } from "../output/listing.ts";
import { sketchOf, UnreadBead } from "../output/listing.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { filterFrom, isSketchTime, statusFilter, timeTest } from "./bead-filter-flags.ts";

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
    const whole = { ...filter, ...status, ...more({ graph, statuses, wanted }) };
    if (isSketchFilter(whole) && isSketchTime(call))
      for (const bead of unreadBeads(graph, whole, fits)) found.push(bead);
    else for (const record of selectBeads(graph, whole)) if (fits(record)) found.push({ graph, record });
  }
  return found;
}

function* unreadBeads(graph: WorkGraph, filter: BeadFilter, fits: (bead: BeadSketch) => boolean): Iterable<ListedBead> {
  const { status, excludeStatus, type, assignee, labels: [label] = [] } = filter;
  const test = sketchTest(filter);
  const rough = graph.sketches({
    ...(status === undefined ? {} : { status }),
    ...(excludeStatus === undefined ? {} : { excludeStatus }),
    ...(type === undefined ? {} : { type }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(label === undefined ? {} : { label }),
  });
  for (const sketch of rough) if (test(sketch) && fits(sketch)) yield new UnreadBead(graph, sketch);
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

/** Beads of several stores in one order; the first `first` of them, where so many are enough. */
export function inOrder(
  found: readonly ListedBead[],
  key: SortKey,
  { now, flags }: Pick<Call, "now" | "flags">,
  first?: number,
): readonly ListedBead[] {
  const how = { nowMs: now, reverse: flags.isSet("reverse"), first };
  if (isSketchOrder(key)) return sortBy(found, sketchOf, key, how);
  const read = found.map((bead) => ({ bead, record: bead.record }));
  return sortBy(read, ({ record }) => record, key, how).map(({ bead }) => bead);
}
