import type { GraphStats } from "../../domain/work-graph/queries/graph-stats.ts";
import { graphStats } from "../../domain/work-graph/queries/graph-stats.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag } from "../grammar/flag.ts";
import { table } from "../output/table.ts";
import { statusesOf } from "../../domain/work-graph/record/statuses.ts";

const recentHours = 24;

export const statsCommand: BdCommand = {
  name: "stats",
  aliases: ["status"],
  group: "Finding work",
  summary: "how many beads are open, ready, blocked, closed; what happened lately",
  flags: [
    flag("assigned", "only what is assigned to you"),
    flag("no-activity", "without what happened in the last 24 hours"),
    allStoresFlag,
  ],
  run: stats,
};

async function stats(call: Call): Promise<Answer> {
  const all: GraphStats[] = [];
  for (const graph of scopeOf(call)) {
    const records = call.flags.isSet("assigned") ? { records: graph.list({ assignee: call.author.actor }) } : {};
    const statuses = statusesOf(await settingsOf(graph, call.context));
    all.push(graphStats(graph, { nowMs: call.now, recentMs: recentHours * 3_600_000, statuses, ...records }));
  }
  const summary = summaryOf(all);
  const activity = call.flags.isSet("no-activity") ? undefined : activityOf(all);
  return {
    text: () => statsText(summary, activity, call),
    json: { summary, ...(activity === undefined ? {} : { recent_activity: activity }) },
  };
}

type Numbers = Readonly<Record<string, number>>;

/** In the names of bd's `stats --json`. */
function summaryOf(all: readonly GraphStats[]): Numbers {
  const sum = (valueOf: (one: GraphStats) => number): number => all.reduce((total, one) => total + valueOf(one), 0);
  const inStatus = (...names: readonly string[]): number =>
    sum(({ byStatus }) => names.reduce((total, name) => total + (byStatus[name] ?? 0), 0));
  const closed = inStatus("closed");
  const hours = sum((one) => (one.averageLeadTimeHours ?? 0) * (one.byStatus["closed"] ?? 0));
  return {
    total_issues: sum(({ total }) => total),
    open_issues: inStatus("open"),
    in_progress_issues: inStatus("in_progress", "hooked"),
    closed_issues: closed,
    blocked_issues: sum(({ blocked }) => blocked),
    deferred_issues: sum(({ deferred }) => deferred),
    ready_issues: sum(({ ready }) => ready),
    pinned_issues: sum(({ pinned }) => pinned),
    epics_eligible_for_closure: sum(({ epicsClosable }) => epicsClosable),
    average_lead_time_hours: closed === 0 ? 0 : Math.round((hours / closed) * 100) / 100,
    wisps: sum(({ wisps }) => wisps),
  };
}

function activityOf(all: readonly GraphStats[]): Numbers {
  const sum = (valueOf: (one: GraphStats) => number): number => all.reduce((total, one) => total + valueOf(one), 0);
  return {
    hours_tracked: recentHours,
    issues_created: sum(({ createdRecently }) => createdRecently),
    issues_closed: sum(({ closedRecently }) => closedRecently),
    issues_updated: sum(({ updatedRecently }) => updatedRecently),
  };
}

const lines: readonly (readonly [name: string, key: string, always: boolean])[] = [
  ["Total", "total_issues", true],
  ["Open", "open_issues", true],
  ["In progress", "in_progress_issues", true],
  ["Blocked", "blocked_issues", true],
  ["Deferred", "deferred_issues", true],
  ["Closed", "closed_issues", true],
  ["Ready to work", "ready_issues", true],
  ["Pinned", "pinned_issues", false],
  ["Wisps", "wisps", false],
  ["Epics that can be closed", "epics_eligible_for_closure", false],
];

function statsText(summary: Numbers, activity: Numbers | undefined, { paint }: Call): string {
  const rows = lines
    .filter(([, key, always]) => always || (summary[key] ?? 0) > 0)
    .map(([name, key]) => [`  ${name}:`, String(summary[key] ?? 0)]);
  const hours = summary["average_lead_time_hours"] ?? 0;
  return [
    `${paint("bold", "Issues")}\n${table(rows)}`,
    ...(hours > 0 ? [`Average time from creation to close: ${hours} h`] : []),
    ...(activity === undefined
      ? []
      : [
          `Last ${activity["hours_tracked"]} hours: ${activity["issues_created"]} created, ${activity["issues_closed"]} closed, ${activity["issues_updated"]} touched`,
        ]),
  ].join("\n\n");
}
