import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, list, number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { agoText } from "../output/time-text.ts";
import type { ListedBead } from "../output/listing.ts";
import { listing } from "../output/listing.ts";
import { table } from "../output/table.ts";
import { beadLine, briefLine } from "../output/bead-line.ts";
import { fieldFilter, fieldFilterFlags, statusFilter } from "../queries/filter.ts";
import { sorted } from "../queries/order.ts";
import { statusesOf } from "../values/status.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import { withFullParent } from "./list.ts";

const searchLimit = 50;

export const searchCommand: BdCommand = {
  name: "search",
  group: "Finding work",
  summary: "beads whose title, texts, comments, labels or id hold every word",
  args: "<words>...",
  flags: [
    text("query", "TEXT", "the words, instead of arguments"),
    list("status", "STATUS", "only these statuses; default all", "s"),
    ...fieldFilterFlags,
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    text("sort", "FIELD", "by a field instead of by how well it fits"),
    flag("reverse", "the other way around", "r"),
    allStoresFlag,
  ],
  examples: ['bd search "login timeout"', "bd search cache --status open --json"],
  run: search,
};

async function search(call: Call): Promise<Answer> {
  const { flags, args } = call;
  const words = [...args, ...flags.texts("query")]
    .join(" ")
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) throw usageError("search query is required", 'bd search "words"');
  const found = await candidates(call);
  const scored = found
    .map((bead) => ({ ...bead, score: scoreOf(bead.record, words) }))
    .filter(({ score }) => score > 0);
  const field = flags.text("sort");
  const graphs = new Map(scored.map(({ graph, record }) => [record.id, graph]));
  const scores = new Map(scored.map(({ record, score }) => [record.id, score]));
  const records = sorted(
    scored.map(({ record }) => record),
    field ?? "updated",
    flags.isSet("reverse"),
  );
  const inOrder =
    field === undefined ? records.toSorted((a, b) => (scores.get(b.id) ?? 0) - (scores.get(a.id) ?? 0)) : records;
  return listing(
    call,
    inOrder.map((record) => ({ record, graph: graphs.get(record.id) ?? call.home })),
    {
      limit: flags.number("limit") ?? searchLimit,
      isTree: false,
      nothing: `No issues found matching '${words.join(" ")}'`,
      title: (count) => `Found ${count} issue${count === 1 ? "" : "s"} matching '${words.join(" ")}':`,
    },
  );
}

async function candidates(call: Call): Promise<readonly ListedBead[]> {
  const matches = fieldFilter({ flags: withFullParent(call), now: call.now });
  const found: ListedBead[] = [];
  for (const graph of scopeOf(call)) {
    const statuses = statusFilter(call.flags, statusesOf(await settingsOf(graph, call.context)));
    for (const record of graph.list(statuses === undefined ? {} : { status: statuses }))
      if (matches(record, graph)) found.push({ graph, record });
  }
  return found;
}

/** 0 unless every word is somewhere; more where words stand in more telling places. */
function scoreOf(record: BeadRecord, words: readonly string[]): number {
  const places: readonly (readonly [number, string])[] = [
    [8, record.id],
    [8, record.title],
    [4, (record.labels ?? []).join(" ")],
    [4, String(record.external_ref ?? "")],
    [2, [record.description, record.design, record.acceptance_criteria, record.notes].join(" ")],
    [1, (Array.isArray(record.comments) ? record.comments : []).map(({ text: comment }) => comment).join(" ")],
  ];
  let score = 0;
  for (const word of words) {
    const best = places.find(([, place]) => place.toLowerCase().includes(word));
    if (best === undefined) return 0;
    score += best[0];
  }
  return score;
}

const groupings: Readonly<Record<string, (record: BeadRecord) => readonly string[]>> = {
  status: (record) => [record.status],
  priority: (record) => [`P${record.priority}`],
  type: (record) => [record.issue_type],
  assignee: (record) => [record.assignee ?? "(unassigned)"],
  label: (record) => ((record.labels ?? []).length === 0 ? ["(no labels)"] : (record.labels ?? [])),
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
  run: async (call) => {
    const found = (await candidates(call)).map(({ record }) => record);
    const by = Object.keys(groupings).filter((name) => call.flags.isSet(`by-${name}`));
    if (by.length > 1) throw usageError("only one --by-… flag can be used", "run it once for each");
    const grouping = groupings[by[0] ?? ""];
    if (grouping === undefined) return { text: String(found.length), json: { count: found.length } };
    const counts = new Map<string, number>();
    for (const record of found) for (const group of grouping(record)) counts.set(group, (counts.get(group) ?? 0) + 1);
    const rows = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      text: table([["Total", String(found.length)], ...rows.map(([group, count]) => [`  ${group}`, String(count)])]),
      json: { total: found.length, groups: rows.map(([group, count]) => ({ group, count })) },
    };
  },
};

export const staleCommand: BdCommand = {
  name: "stale",
  group: "Finding work",
  summary: "beads that nobody touched for a while",
  flags: [
    number("days", "N", "for at least N days; default 30", "d"),
    list("status", "STATUS", "only these statuses; default open and in_progress", "s"),
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    allStoresFlag,
  ],
  run: async (call) => {
    const days = call.flags.number("days") ?? 30;
    const before = call.now - days * 86_400_000;
    const isGiven = call.flags.has("status");
    const found = (await candidates(call)).filter(
      ({ record }) =>
        (isGiven ? record.status !== "closed" : ["open", "in_progress", "hooked", "blocked"].includes(record.status)) &&
        (timeOf(record.updated_at) ?? 0) < before,
    );
    const graphs = new Map(found.map(({ graph, record }) => [record.id, graph]));
    const oldest = sorted(
      found.map(({ record }) => record),
      "updated",
      true,
    ).map((record) => ({ record, graph: graphs.get(record.id) ?? call.home }));
    const answer = listing(call, oldest, {
      limit: call.flags.number("limit") ?? searchLimit,
      isTree: false,
      nothing: `No stale issues (none untouched for ${days} days).`,
    });
    return oldest.length === 0 || call.isBrief ? answer : { ...answer, text: () => staleText(call, oldest) };
  },
};

function staleText(call: Call, found: readonly ListedBead[]): string {
  const limit = call.flags.number("limit") ?? searchLimit;
  return found
    .slice(0, limit > 0 ? limit : undefined)
    .map(({ record }) =>
      call.isBrief
        ? briefLine(record)
        : `${beadLine(record, call)}\n    last touched ${agoText(timeOf(record.updated_at) ?? 0, call.now)}`,
    )
    .join("\n");
}
