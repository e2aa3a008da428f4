import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { findBead, requireBead, requireIn } from "../access/find-bead.ts";
import { requireMayChange } from "../access/limits.ts";
import type { BdCommand } from "../command.ts";
import { oneArgument, twoArguments } from "../grammar/arguments.ts";
import { text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";

export const stateCommand: BdCommand = {
  name: "state",
  group: "Labels and comments",
  summary: "the value of a label DIMENSION:VALUE",
  args: "<id> <dimension>",
  run: (call) => {
    const [id, dimension] = twoArguments(call.args, "bd state ID DIMENSION");
    const { record } = findBead(id, call.context);
    const value = statesOf(record).get(dimension) ?? null;
    return {
      text: value === null ? `(no ${cleanLine(dimension)} state set)` : cleanLine(value),
      json: { issue_id: record.id, dimension, value },
    };
  },
};

export const stateListCommand: BdCommand = {
  name: "state list",
  group: "Labels and comments",
  summary: "every label DIMENSION:VALUE of a bead",
  args: "<id>",
  run: (call) => {
    const { record } = findBead(oneArgument(call.args, "bd state list ID"), call.context);
    const states = statesOf(record);
    return {
      text:
        states.size === 0
          ? `${record.id} has no states`
          : [...states].map(([dimension, value]) => cleanLine(`${dimension}: ${value}`)).join("\n"),
      json: { issue_id: record.id, states: Object.fromEntries(states) },
    };
  },
};

export const setStateCommand: BdCommand = {
  name: "set-state",
  group: "Labels and comments",
  summary: "put the label DIMENSION:VALUE in place of the dimension's other one, and record it as an event",
  args: "<id> <dimension>=<value>",
  flags: [text("reason", "TEXT", "why; kept with the event", "r")],
  writes: true,
  run: async (call) => {
    const [id, pair] = twoArguments(call.args, "bd set-state ID DIMENSION=VALUE");
    const { dimension, value } = pairOf(pair);
    const reason = call.flags.text("reason");
    const { graph } = requireBead(id, call.context);
    const { before, event } = await call.transact(graph, (tx) => {
      const record = requireIn(tx, id);
      requireMayChange(call, record, "change");
      const old = statesOf(record).get(dimension) ?? null;
      if (old === value) return { before: old, event: null };
      for (const label of labelsOf(record)) if (label.startsWith(`${dimension}:`)) tx.removeLabel(id, label);
      tx.addLabel(id, `${dimension}:${value}`);
      const made = tx.create({
        title: `State change: ${dimension} → ${value}`,
        issue_type: "event",
        priority: 4,
        parent: id,
        description: `Changed ${dimension} from ${old ?? "nothing"} to ${value}${reason === undefined ? "" : `\n\nReason: ${reason}`}`,
      });
      // An event is over once it is written down: what is below an epic must not keep it open.
      tx.close(made.id, { reason: reason ?? `${dimension} is ${value}` });
      return { before: old, event: made.id };
    });
    return {
      text:
        event === null
          ? `(no change: ${dimension} already set to ${value})`
          : `${call.paint("green", "✓")} Set ${dimension} = ${value} on ${id}\n  Event: ${event}`,
      json: {
        issue_id: id,
        dimension,
        old_value: before,
        new_value: value,
        event_id: event,
        changed: event !== null,
      },
    };
  },
};

function pairOf(pair: string): { readonly dimension: string; readonly value: string } {
  const [, dimension, value] = /^([^=:,\s]+)=([^,\s]+)$/.exec(pair) ?? [];
  if (dimension === undefined || value === undefined)
    throw usageError(`invalid state "${pair}"`, "write DIMENSION=VALUE without blanks or commas, as patrol=muted");
  return { dimension, value };
}

function labelsOf(record: BeadRecord): readonly string[] {
  return Array.isArray(record.labels) ? (record.labels as readonly string[]) : [];
}

function statesOf(record: BeadRecord): ReadonlyMap<string, string> {
  return new Map(
    labelsOf(record).flatMap((label): readonly [string, string][] => {
      const colon = label.indexOf(":");
      return colon <= 0 ? [] : [[label.slice(0, colon), label.slice(colon + 1)]];
    }),
  );
}
