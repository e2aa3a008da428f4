import type { BeadSketch } from "../../domain/work-graph/bead.ts";
import type { BeadFilter } from "../../domain/work-graph/queries/bead-filter.ts";
import { isSketchFilter, selectBeads, sketchTest } from "../../domain/work-graph/queries/bead-filter.ts";
import type { SortKey } from "../../domain/work-graph/queries/sort-beads.ts";
import { isSketchOrder, sketchOrder, sortBy } from "../../domain/work-graph/queries/sort-beads.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import type { SketchFilter, WorkGraph } from "../../ports/work-graph.ts";
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
  const found: ListedBead[] = [];
  for (const { graph, filter } of await storeFilters(call, more)) addSelected(found, graph, filter, call);
  return found;
}

/** What a list shows of what its flags select. */
export interface Wanted {
  readonly isShown: (graph: WorkGraph) => (bead: BeadSketch) => boolean;
  readonly key: SortKey;
  /** Only so many, the first ones; undefined: all. */
  readonly first: number | undefined;
}

/** As `selectedBeads`, of those that are shown the first in an order, and how many there are. */
export async function firstBeads(
  call: Call,
  more: (store: StoreFilter) => BeadFilter,
  { isShown, key, first }: Wanted,
): Promise<{ readonly found: readonly ListedBead[]; readonly total: number }> {
  const found: ListedBead[] = [];
  let total = 0;
  for (const { graph, filter } of await storeFilters(call, more)) {
    const shown = isShown(graph);
    if (first !== undefined && isSketched(filter, call) && isSketchOrder(key)) {
      const test = sketchTest(filter);
      const inTime = timeTest(call);
      const fits = (bead: BeadSketch): boolean => test(bead) && inTime(bead) && shown(bead);
      const compare = sketchOrder(key, { nowMs: call.now, reverse: call.flags.isSet("reverse") });
      const few = graph.firstSketches(roughFilter(filter), { fits, compare, first });
      found.push(...few.first.map((sketch) => new UnreadBead(graph, sketch)));
      total += few.total;
      continue;
    }
    const selected: ListedBead[] = [];
    addSelected(selected, graph, filter, call);
    const own = selected.filter((bead) => shown(sketchOf(bead)));
    for (const bead of own) found.push(bead);
    total += own.length;
  }
  return { found: inOrder(found, key, call, first), total };
}

async function storeFilters(
  call: Call,
  more: (store: StoreFilter) => BeadFilter,
): Promise<readonly { readonly graph: WorkGraph; readonly filter: BeadFilter }[]> {
  const filter = callFilter(call);
  return Promise.all(
    scopeOf(call).map(async (graph) => {
      const statuses = statusesOf(await settingsOf(graph, call.context));
      const wanted = statusFilter(call.flags, statuses);
      const status = wanted === undefined ? {} : { status: wanted };
      return { graph, filter: { ...filter, ...status, ...more({ graph, statuses, wanted }) } };
    }),
  );
}

/** Whether sketches answer all that is asked. */
function isSketched(filter: BeadFilter, call: Call): boolean {
  return isSketchFilter(filter) && isSketchTime(call);
}

function addSelected(found: ListedBead[], graph: WorkGraph, filter: BeadFilter, call: Call): void {
  const fits = timeTest(call);
  if (!isSketched(filter, call)) {
    for (const record of selectBeads(graph, filter)) if (fits(record)) found.push({ graph, record });
    return;
  }
  const test = sketchTest(filter);
  for (const sketch of graph.sketches(roughFilter(filter)))
    if (test(sketch) && fits(sketch)) found.push(new UnreadBead(graph, sketch));
}

/** What of a filter the indexes of a store answer. */
function roughFilter({ status, excludeStatus, type, assignee, labels: [label] = [] }: BeadFilter): SketchFilter {
  return {
    ...(status === undefined ? {} : { status }),
    ...(excludeStatus === undefined ? {} : { excludeStatus }),
    ...(type === undefined ? {} : { type }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(label === undefined ? {} : { label }),
  };
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
