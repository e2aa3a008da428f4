import type { BeadSketch } from "../../domain/work-graph/bead.ts";
import type { BeadFilter } from "../../domain/work-graph/queries/bead-filter.ts";
import { fullFlag } from "../access/full-text.ts";
import { allStoresFlag } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { also, flag, list, number, text } from "../grammar/flag.ts";
import { listing } from "../output/listing.ts";
import { fieldFilterFlags } from "../queries/bead-filter-flags.ts";
import type { StoreFilter } from "../queries/find-beads.ts";
import { firstBeads, sortField } from "../queries/find-beads.ts";

const defaultLimit = 50;
/** Records of the machinery: shown when they are asked for. */
const infraTypes = ["agent", "role", "rig", "message", "event", "escalation", "merge-queue"];

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
    fullFlag,
    allStoresFlag,
  ],
  examples: ["bd list --status in_progress --json", "bd list -t bug -p 0 --label backend"],
  run: runList,
};

async function runList(call: Call): Promise<Answer> {
  const { flags } = call;
  const isHidden = hiddenTypes(call);
  const sort = flags.text("sort");
  const limit = flags.number("limit") ?? defaultLimit;
  const { found, total } = await firstBeads(call, (store) => listFilter(call, store), {
    isShown: (graph) => {
      const ready = flags.isSet("ready") ? new Set(graph.readySketches().map(({ id }) => id)) : undefined;
      return (bead) => !isHidden(bead) && ready?.has(bead.id) !== false;
    },
    key: sortField(sort ?? "priority"),
    first: limit > 0 ? limit : undefined,
  });
  return listing(call, found, {
    limit,
    total,
    isTree: sort === undefined && !flags.isSet("flat"),
    nothing: "No issues found.",
  });
}

function listFilter({ flags }: Call, { wanted }: StoreFilter): BeadFilter {
  const isNamed = flags.has("id");
  const isEvery = wanted !== undefined || isNamed || flags.isSet("all") || flags.list("status").includes("all");
  return {
    ...(isEvery ? {} : { excludeStatus: ["closed"] }),
    ...(isNamed || flags.isSet("include-ephemeral") ? { wisps: true } : {}),
    ...(isNamed || flags.isSet("include-templates") ? { templates: true } : {}),
  };
}

/** Gates and the machinery stay out unless a flag, a type or an id asks for them. */
function hiddenTypes({ flags }: Call): (bead: BeadSketch) => boolean {
  if (flags.has("id") || flags.has("type")) return () => false;
  const hidden = new Set<string>();
  if (!flags.isSet("include-gates")) hidden.add("gate");
  if (!flags.isSet("include-infra")) for (const type of infraTypes) hidden.add(type);
  return ({ issue_type: type }) => hidden.has(type);
}
