import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import { TownError } from "../../errors/town-error.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, number } from "../grammar/flag.ts";
import { counted } from "../output/counted.ts";

export const gcCommand: BdCommand = {
  name: "gc",
  group: "Store",
  summary: "remove wisps past their time, pack what the store wrote, and delete old closed beads if asked to",
  flags: [
    number("older-than", "DAYS", "delete beads closed for so long (with --force)"),
    flag("force", "do delete them", "f"),
    flag("dry-run", "only show"),
  ],
  writes: true,
  run: gc,
};

async function gc(call: Call): Promise<Answer> {
  const { flags, home, context } = call;
  if (context.session !== undefined && !context.session.managesBeads)
    throw new TownError("Forbidden", `${context.actor} may not tidy the store`, { hint: "ask the overseer" });
  const days = flags.number("older-than");
  const old = days === undefined ? [] : oldClosed(call, days);
  const isDryRun = flags.isSet("dry-run");
  const deletes = flags.isSet("force") ? old : [];
  if (!isDryRun && deletes.length > 0)
    await call.transact(home, (tx) => {
      for (const { id } of deletes)
        if (tx.get(id)?.status === "closed") tx.delete(id, `closed for more than ${days} days`);
    });
  const wisps = await context.tools.collectWisps(home, { dryRun: isDryRun });
  if (!isDryRun) await home.flush();
  const packed = isDryRun ? 0 : await context.tools.pack(home);
  const kept = old.length - deletes.length;
  return {
    text: [
      ...(days === undefined
        ? []
        : [
            `${isDryRun ? "Would delete" : "Deleted"} ${counted(deletes.length, "bead")} closed for more than ${days} days`,
          ]),
      `${isDryRun ? "Would remove" : "Removed"} ${counted(wisps, "wisp")} past ${wisps === 1 ? "its" : "their"} time`,
      isDryRun ? "Would pack what the store wrote" : `Packed ${counted(packed, "object")}`,
    ].join("\n"),
    json: { dry_run: isDryRun, issues_deleted: deletes.length, wisps_deleted: wisps, objects_packed: packed },
    notes: kept > 0 ? [`Note: ${kept} old closed beads were kept; --force deletes them.`] : [],
  };
}

/** Nobody refers to them, nor do they hold children. */
function oldClosed({ home, now }: Call, days: number): readonly BeadRecord[] {
  const before = now - days * 86_400_000;
  return home
    .list({ status: ["closed"] })
    .filter((record) => (timeOf(record.closed_at) ?? now) < before && record.pinned !== true)
    .filter(({ id }) => home.dependentsOf(id).every(({ issue_id: other }) => home.get(other)?.status === "closed"));
}
