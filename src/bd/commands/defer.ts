import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { also, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { timeText } from "../output/time-text.ts";
import { timeOfText } from "../values/time.ts";
import { changeBead } from "../writes/change-bead.ts";
import type { Outcomes } from "../writes/each-bead.ts";
import { eachBead } from "../writes/each-bead.ts";
import { requireIn } from "../access/find-bead.ts";

export const deferCommand: BdCommand = {
  name: "defer",
  group: "Issues",
  summary: "put beads off: until a time, when they come back by themselves, or until undefer",
  args: "<id>...",
  flags: [
    also(text("until", "TIME", "+2d, monday, 2026-01-15"), "for"),
    text("reason", "TEXT", "why; becomes a comment", "r"),
  ],
  writes: true,
  run: async (call) => {
    const given = call.flags.text("until");
    const until = given === undefined ? undefined : timeOfText(given, call.now);
    const reason = call.flags.text("reason");
    const outcomes = await eachBead(call, call.args, (tx, id) => {
      if (requireIn(tx, id).status === "closed") throw usageError(`${id} is closed`, `bd reopen ${id}`);
      const patch = until === undefined ? { status: "deferred" } : { status: "open", defer_until: until };
      const changed = changeBead(tx, id, { patch }, call);
      if (reason !== undefined) tx.comment(id, reason);
      return changed;
    });
    const when = until === undefined ? "" : ` until ${timeText(until)}`;
    return answered(
      call,
      outcomes,
      (record) => `${call.paint("blue", "❄")} Deferred ${record.id}${when}: ${cleanLine(record.title)}`,
    );
  },
};

export const undeferCommand: BdCommand = {
  name: "undefer",
  group: "Issues",
  summary: "bring deferred beads back",
  args: "<id>...",
  writes: true,
  run: async (call) => {
    const outcomes = await eachBead(call, call.args, (tx, id) => {
      const { status } = requireIn(tx, id);
      const patch = { defer_until: null, ...(status === "deferred" ? { status: "open" } : {}) };
      return changeBead(tx, id, { patch }, call);
    });
    return answered(
      call,
      outcomes,
      (record) => `${call.paint("green", "✓")} Undeferred ${record.id}: ${cleanLine(record.title)}`,
    );
  },
};

function answered(
  call: Call,
  { done, notes, exitCode }: Outcomes<BeadRecord>,
  line: (record: BeadRecord) => string,
): Answer {
  return {
    text: done.map(({ value }) => line(value)).join("\n"),
    json: done.map(({ graph, value }) => listedBead(graph, graph.get(value.id) ?? value)),
    notes,
    exitCode,
  };
}
