import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { findBead } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { also, flag, list, number, text } from "../grammar/flag.ts";
import type { ListedBead } from "../output/listing.ts";
import { listing } from "../output/listing.ts";
import { fieldFilter, fieldFilterFlags, statusFilter } from "../queries/filter.ts";
import { sorted } from "../queries/order.ts";
import { statusesOf } from "../values/status.ts";

const defaultLimit = 50;
/** Records of the machinery: shown when they are asked for. */
const infraTypes: ReadonlySet<string> = new Set(["agent", "role", "rig", "message", "event", "escalation"]);

export const listCommand: BdCommand = {
  name: "list",
  aliases: ["ls"],
  group: "Finding work",
  summary: "beads by status, type, label, …; open ones by default",
  flags: [
    flag("all", "closed ones, too"),
    list("status", "STATUS", "only these statuses; all for every one", "s"),
    ...fieldFilterFlags,
    flag("ready", "only what can be worked on now"),
    flag("include-gates", "gates, too"),
    flag("include-templates", "templates, too"),
    flag("include-infra", "agents, roles, rigs, messages and events, too"),
    flag("include-ephemeral", "wisps, too"),
    number("limit", "N", "at most N; default 50, 0 for all", "n"),
    text("sort", "FIELD", "priority, created, updated, closed, due, status, id, title, type, assignee"),
    flag("reverse", "the other way around", "r"),
    flag("flat", "no tree"),
    also(flag("tree", "children below their parents; the default"), "pretty"),
    allStoresFlag,
  ],
  examples: ["bd list --status in_progress --json", "bd list -t bug -p 0 --label backend"],
  run: runList,
};

async function runList(call: Call): Promise<Answer> {
  const { flags } = call;
  const found: ListedBead[] = [];
  for (const graph of scopeOf(call)) {
    const book = statusesOf(await settingsOf(graph, call.context));
    const statuses = statusFilter(flags, book);
    const isWanted = listPredicate(call, statuses !== undefined);
    const ready = flags.isSet("ready") ? new Set(graph.ready().map(({ id }) => id)) : undefined;
    for (const record of graph.list(statuses === undefined ? {} : { status: statuses }))
      if (isWanted(record, graph) && ready?.has(record.id) !== false) found.push({ graph, record });
  }
  const graphs = new Map(found.map(({ graph, record }) => [record.id, graph]));
  const inOrder = sorted(
    found.map(({ record }) => record),
    flags.text("sort") ?? "priority",
    flags.isSet("reverse"),
  );
  return listing(
    call,
    inOrder.map((record) => ({ record, graph: graphs.get(record.id) ?? call.home })),
    {
      limit: flags.number("limit") ?? defaultLimit,
      isTree: !flags.isSet("flat") && !flags.has("sort"),
      nothing: "No issues found.",
    },
  );
}

function listPredicate(call: Call, hasStatuses: boolean) {
  const { flags } = call;
  const matches = fieldFilter({ flags: withFullParent(call), now: call.now });
  const isEvery = hasStatuses || flags.isSet("all") || flags.list("status").includes("all");
  const isHidden = hiddenTypes(call);
  return (record: BeadRecord, graph: Parameters<typeof matches>[1]): boolean =>
    (isEvery || record.status !== "closed") && !isHidden(record) && matches(record, graph);
}

/** Templates, wisps, gates and the machinery stay out unless a flag or a type asks for them. */
function hiddenTypes({ flags }: Call): (record: BeadRecord) => boolean {
  const asked = new Set([...flags.list("type")]);
  const ids = new Set(flags.list("id"));
  return (record) => {
    if (ids.has(record.id)) return false;
    if (record.ephemeral === true && !flags.isSet("include-ephemeral")) return true;
    if (record.is_template === true && !flags.isSet("include-templates")) return true;
    if (asked.has(record.issue_type)) return false;
    if (record.issue_type === "gate") return !flags.isSet("include-gates");
    return infraTypes.has(record.issue_type) && !flags.isSet("include-infra");
  };
}

/** `--parent` may be a part of an id: this is a read. */
export function withFullParent({ flags, context }: Call): Call["flags"] {
  const parent = flags.text("parent");
  return parent === undefined ? flags : flags.with("parent", findBead(parent, context).record.id);
}
