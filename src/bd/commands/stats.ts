import { allStoresFlag, scopeOf } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag } from "../grammar/flag.ts";
import { table } from "../output/table.ts";
import type { Activity, Statistics } from "../queries/statistics.ts";
import { activityOf, statisticsOf } from "../queries/statistics.ts";

const activityHours = 24;

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

function stats(call: Call): Answer {
  const all = scopeOf(call).map((graph) => {
    const records = graph.list(call.flags.isSet("assigned") ? { assignee: call.author.actor } : {});
    return { records, statistics: statisticsOf(graph, records) };
  });
  const records = all.flatMap((one) => one.records);
  const summary =
    all.length === 1 && all[0] !== undefined ? all[0].statistics : total(all.map((one) => one.statistics));
  const activity = call.flags.isSet("no-activity") ? undefined : activityOf(records, call.now, activityHours);
  return {
    text: () => statsText(summary, activity, call),
    json: { summary, ...(activity === undefined ? {} : { recent_activity: activity }) },
  };
}

function total(all: readonly Statistics[]): Statistics {
  const sum: Record<string, number> = {};
  for (const one of all) for (const [key, value] of Object.entries(one)) sum[key] = (sum[key] ?? 0) + Number(value);
  const closed = sum["closed_issues"] ?? 0;
  const hours = all.reduce((weighted, one) => weighted + one.average_lead_time_hours * one.closed_issues, 0);
  return {
    ...(sum as unknown as Statistics),
    average_lead_time_hours: closed === 0 ? 0 : Math.round((hours / closed) * 100) / 100,
  };
}

function statsText(summary: Statistics, activity: Activity | undefined, { paint }: Call): string {
  const rows: readonly (readonly [string, number])[] = [
    ["Total", summary.total_issues],
    ["Open", summary.open_issues],
    ["In progress", summary.in_progress_issues],
    ["Blocked", summary.blocked_issues],
    ["Deferred", summary.deferred_issues],
    ["Closed", summary.closed_issues],
    ["Ready to work", summary.ready_issues],
    ...(summary.pinned_issues > 0 ? [["Pinned", summary.pinned_issues] as const] : []),
    ...(summary.epics_eligible_for_closure > 0
      ? [["Epics that can be closed", summary.epics_eligible_for_closure] as const]
      : []),
  ];
  const lead =
    summary.average_lead_time_hours > 0
      ? `\nAverage time from creation to close: ${summary.average_lead_time_hours} h`
      : "";
  const recent =
    activity === undefined
      ? ""
      : `\n\nLast ${activity.hours_tracked} hours: ${activity.issues_created} created, ${activity.issues_closed} closed, ${activity.issues_updated} updated`;
  return `${paint("bold", "Issues")}\n${table(rows.map(([name, count]) => [`  ${name}:`, String(count)]))}${lead}${recent}`;
}
