import { isClaimed } from "../../domain/work-graph/record/facts.ts";
import { TownError } from "../../errors/town-error.ts";
import { requireIn } from "../access/find-bead.ts";
import { mayForce, requireMayChange, requireNotOnHook } from "../access/limits.ts";
import type { BdCommand } from "../command.ts";
import { flag, text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { eachBead } from "../writes/each-bead.ts";

export const unclaimCommand: BdCommand = {
  name: "unclaim",
  group: "Issues",
  summary: "give beads you claimed back: open again, assigned to nobody",
  args: "<id>...",
  flags: [
    text("reason", "TEXT", "why; kept in the history", "r"),
    flag("force", "although somebody else holds it", "f"),
  ],
  writes: true,
  run: async (call) => {
    const { author, flags } = call;
    const reason = flags.text("reason");
    const { done, notes, exitCode } = await eachBead(call, call.args, (tx, id) => {
      const before = requireIn(tx, id);
      if (!isClaimed(before)) throw usageError(`${id} is not claimed: its status is ${before.status}`, `bd show ${id}`);
      requireMayChange(call, before, "unclaim");
      const isOwn = (before.assignee ?? "") === "" || before.assignee === author.actor;
      if (!isOwn && !(flags.isSet("force") && mayForce(call, before)))
        throw new TownError("NotHolder", `${id} is held by ${before.assignee}, not by ${author.actor}`, {
          hint: "bd reclaim frees claims that have run out; --force frees this one now",
        });
      if (isOwn) requireNotOnHook(call, id);
      const freed = tx.release(id, reason === undefined ? {} : { reason });
      call.context.changedStatus?.(tx, id);
      return freed;
    });
    return {
      text: done
        .map(({ value }) => `${call.paint("green", "✓")} Unclaimed ${value.id} - ${cleanLine(value.title)}`)
        .join("\n"),
      json: done.map(({ graph, value }) => listedBead(graph, graph.get(value.id) ?? value)),
      notes,
      exitCode,
    };
  },
};
