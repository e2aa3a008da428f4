import type { BeadSketch } from "../../domain/work-graph/bead.ts";
import { staleBeads } from "../../domain/work-graph/queries/attention.ts";
import type { BeadFilter } from "../../domain/work-graph/queries/bead-filter.ts";
import { searchBeads } from "../../domain/work-graph/queries/search-beads.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import { fullFlag, inFull } from "../access/full-text.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, list, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { beadLine } from "../output/bead-line.ts";
import type { ListedBead } from "../output/listing.ts";
import { limited, listing, sketchOf } from "../output/listing.ts";
import { cleanLine } from "../output/plain-text.ts";
import { table } from "../output/table.ts";
import { agoText } from "../output/time-text.ts";
import { fieldFilterFlags, statusFilter } from "../queries/bead-filter-flags.ts";
import { inOrder, selectedBeads, sortField } from "../queries/find-beads.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";
import { counted } from "../output/counted.ts";

const defaultLimit = 50;
const everything = (): BeadFilter => ({ templates: true });

export const searchCommand: BdCommand = {
  name: "search",
  group: "Finding work",
  summary: "beads whose id, texts, labels or comments hold every word",
  args: "<words>...",
  flags: [
    text("query", "TEXT", "the words, instead of arguments"),
    list("status", "STATUS", "only these statuses; default all", "s"),
    ...fieldFilterFlags,
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    text("sort", "FIELD", "by a field instead of by how well it fits"),
    flag("reverse", "the other way around", "r"),
    fullFlag,
    allStoresFlag,
  ],
  examples: ['bd search "login timeout"', "bd search cache --status open --json"],
  run: search,
};

async function search(call: Call): Promise<Answer> {
  const { flags, args } = call;
  const query = [...args, ...flags.texts("query")].join(" ").trim();
  if (query === "") throw usageError("search query is required", 'bd search "words"');
  const selected = await beadsById(call);
  const candidates = flags.isSet("full") ? (await inFull(selected, call.context)).beads : selected;
  const graphs = new Map(candidates.map(({ graph, record }) => [record, graph]));
  const hits = searchBeads(graphs.keys(), query).map(({ record }) => ({
    record,
    graph: graphs.get(record) ?? call.home,
  }));
  const sort = flags.text("sort");
  return listing(call, sort === undefined ? hits : inOrder(hits, sortField(sort), call), {
    limit: flags.number("limit") ?? defaultLimit,
    isTree: false,
    nothing: `No issues found matching '${cleanLine(query)}'`,
    title: (count) => `Found ${counted(count, "issue")} matching '${cleanLine(query)}':`,
  });
}

const groupings: Readonly<Record<string, (bead: BeadSketch) => readonly string[]>> = {
  status: (bead) => [bead.status],
  priority: (bead) => [`P${bead.priority}`],
  type: (bead) => [bead.issue_type],
  assignee: (bead) => [bead.assignee ?? "(unassigned)"],
  label: (bead) => ((bead.labels ?? []).length === 0 ? ["(no labels)"] : (bead.labels ?? [])),
};

export const countCommand: BdCommand = {
  name: "count",
  group: "Finding work",
  summary: "how many beads there are, by what",
  flags: [
    list("status", "STATUS", "only these statuses; default all", "s"),
    ...fieldFilterFlags,
    ...Object.keys(groupings).map((name) => flag(`by-${name}`, `by ${name}`)),
    allStoresFlag,
  ],
  run: count,
};

async function count(call: Call): Promise<Answer> {
  const found = (await selectedBeads(call, everything)).map(sketchOf);
  const by = Object.keys(groupings).filter((name) => call.flags.isSet(`by-${name}`));
  if (by.length > 1) throw usageError("only one --by-… flag can be used", "run it once for each");
  const grouping = groupings[by[0] ?? ""];
  if (grouping === undefined) return { text: String(found.length), json: { count: found.length } };
  const counts = new Map<string, number>();
  for (const bead of found) for (const group of grouping(bead)) counts.set(group, (counts.get(group) ?? 0) + 1);
  const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    text: table([
      ["Total", String(found.length)],
      ...rows.map(([group, number]) => [`  ${cleanLine(group)}`, String(number)]),
    ]),
    json: { total: found.length, groups: rows.map(([group, number]) => ({ group, count: number })) },
  };
}

export const staleCommand: BdCommand = {
  name: "stale",
  group: "Finding work",
  summary: "open beads that nobody touched for a while",
  flags: [
    number("days", "N", "for at least N days; default 30", "d"),
    list("status", "STATUS", "only these statuses", "s"),
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    allStoresFlag,
  ],
  run: stale,
};

async function stale(call: Call): Promise<Answer> {
  const days = call.flags.number("days") ?? 30;
  const found: ListedBead[] = [];
  for (const graph of scopeOf(call)) {
    const statuses = statusesOf(await settingsOf(graph, call.context));
    const status = statusFilter(call.flags, statuses);
    const options = { nowMs: call.now, days, statuses, ...(status === undefined ? {} : { status }) };
    for (const record of staleBeads(graph, options)) found.push({ graph, record });
  }
  const limit = call.flags.number("limit") ?? defaultLimit;
  const nothing = `No stale issues: none was left untouched for ${days} days.`;
  const answer = await listing(call, found, { limit, isTree: false, nothing });
  if (call.isBrief || found.length === 0) return answer;
  const touched = ({ record }: ListedBead): string => agoText(timeOf(record.updated_at) ?? 0, call.now);
  return {
    ...answer,
    text: () =>
      limited(found, limit)
        .shown.map((bead) => `${beadLine(bead.record, call)}\n    last touched ${touched(bead)}`)
        .join("\n"),
  };
}

/** What the flags select, of all statuses, in id order. */
async function beadsById(call: Call): Promise<readonly ListedBead[]> {
  const found = await selectedBeads(call, everything);
  return found.toSorted((a, b) => (sketchOf(a).id < sketchOf(b).id ? -1 : 1));
}
