import type { HistoryEntry } from "../../ports/work-graph.ts";
import { findBead } from "../access/find-bead.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import type { RecordChangeSummary } from "../context.ts";
import { oneArgument } from "../grammar/arguments.ts";
import { number, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { shortBead } from "../output/bead-json.ts";
import { historyLine } from "../output/bead-page.ts";
import { limited } from "../output/listing.ts";
import { cleanLine } from "../output/plain-text.ts";

export const historyCommand: BdCommand = {
  name: "history",
  group: "Finding work",
  summary: "what happened to a bead: who, when, from what to what",
  args: "<id>",
  flags: [number("limit", "N", "only the last N", "n")],
  run: async (call) => {
    const id = oneArgument(call.args, "bd history ID");
    const { graph, record } = findBead(id, call.context);
    const all = await graph.history(record.id);
    const { shown, truncated } = limited(all.toReversed(), call.flags.number("limit"));
    const entries = shown.toReversed();
    return {
      text:
        entries.length === 0
          ? `No history of ${record.id}`
          : entries.map((entry) => historyLine(entry, call)).join("\n"),
      json: entries.map(entryJson),
      ...(truncated === undefined ? {} : { truncated }),
    };
  },
};

function entryJson({ timeMs, actor, session, id, event, changes }: HistoryEntry): unknown {
  return {
    issue_id: id,
    event_type: event,
    actor,
    ...(session === undefined ? {} : { session }),
    created_at: new Date(timeMs).toISOString(),
    changes: changes.map(({ field, from, to }) => ({ field, old_value: from, new_value: to })),
  };
}

export const diffCommand: BdCommand = {
  name: "diff",
  group: "Store",
  summary: "what changed between two revisions of the work branch, or times",
  args: "<from> [to]",
  flags: [text("id", "ID", "only this bead")],
  examples: ["bd diff 2026-11-01", "bd diff town/work~20 town/work"],
  run: diff,
};

async function diff(call: Call): Promise<Answer> {
  const [from, to] = call.args;
  if (from === undefined || call.args.length > 2)
    throw usageError(`accepts 1 or 2 arg(s), received ${call.args.length}`, "bd diff FROM [TO]");
  const { tools } = call.context;
  const end = to ?? (await tools.place(call.home)).commit;
  if (end === undefined) throw usageError("nothing was written to the branch yet", "bd flush");
  const only = call.flags.text("id");
  const changes = (await tools.diff(call.home, from, end)).filter(({ id }) => only === undefined || id === only);
  return {
    text: changes.length === 0 ? "No changes." : changes.map((change) => changeText(change, call)).join("\n"),
    json: changes.map(({ id, before, after, events }) => ({
      issue_id: id,
      diff_type:
        before === undefined ? "added" : after === undefined || after.status === "tombstone" ? "removed" : "modified",
      old_value: before === undefined ? null : shortBead(before),
      new_value: after === undefined ? null : shortBead(after),
      events,
    })),
  };
}

function changeText({ id, before, after, events }: RecordChangeSummary, { paint }: Call): string {
  const title = cleanLine(String((after ?? before)?.title ?? ""));
  const isGone = after === undefined || after.status === "tombstone";
  const sign = before === undefined ? paint("green", "+") : isGone ? paint("red", "-") : paint("yellow", "~");
  if (before === undefined || isGone) return `${sign} ${id} ${title}`;
  return [
    `${sign} ${id} ${title}`,
    ...events.map(
      ({ event, changes }) =>
        `    ${event.replaceAll("_", " ")}${changes.length === 0 ? "" : `: ${changes.map(({ field, from, to }) => `${field} ${valueText(from)} → ${valueText(to)}`).join(", ")}`}`,
    ),
  ].join("\n");
}

function valueText(value: unknown): string {
  const shown = typeof value === "string" ? value : value === undefined ? "∅" : JSON.stringify(value);
  return cleanLine(shown.length > 60 ? `${shown.slice(0, 59)}…` : shown);
}
