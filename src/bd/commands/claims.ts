import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { expiredClaims } from "../../domain/work-graph/queries/attention.ts";
import { isClaimed } from "../../domain/work-graph/record/facts.ts";
import { leaseExpired, leaseLengthMs, reclaimObstacle } from "../../domain/work-graph/rules/claim.ts";
import { TownError } from "../../errors/town-error.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { requireBead, requireIn } from "../access/find-bead.ts";
import { allStoresFlag, scopeOf } from "../access/scope.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { flag, text } from "../grammar/flag.ts";
import { listedBead } from "../output/bead-json.ts";
import { cleanLine } from "../output/plain-text.ts";
import { agoText, timeText } from "../output/time-text.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import { durationOf } from "../values/time.ts";
import { eachBead } from "../writes/each-bead.ts";

export const heartbeatCommand: BdCommand = {
  name: "heartbeat",
  aliases: ["hb"],
  group: "Issues",
  summary: "say that you still work on beads you hold: their claims last on",
  args: "<id>...",
  flags: [text("lease", "DURATION", "how long they last from now; default as long as before")],
  writes: true,
  run: async (call) => {
    const given = call.flags.text("lease");
    const lease = given === undefined ? undefined : durationOf(given);
    const { done, notes, exitCode } = await eachBead(call, call.args, (tx, id) => {
      const record = requireIn(tx, id);
      if (isClaimed(record) && record.assignee !== call.author.actor)
        throw new TownError("NotHolder", `${id} is held by ${record.assignee}, not by ${call.author.actor}`, {
          hint: "only the holder renews a claim",
        });
      return tx.renewLease(id, lease ?? leaseLengthMs(record));
    });
    return {
      text: done
        .map(
          ({ value }) => `${call.paint("green", "✓")} ${value.id} is yours until ${timeText(value.lease_expires_at)}`,
        )
        .join("\n"),
      json: done.map(({ value }) => ({
        id: value.id,
        heartbeat_at: value.heartbeat_at,
        lease_expires_at: value.lease_expires_at,
      })),
      notes,
      exitCode,
    };
  },
};

export const reclaimCommand: BdCommand = {
  name: "reclaim",
  group: "Issues",
  summary: "free beads whose claim has run out and whose holder is gone",
  args: "[id...]",
  flags: [
    flag("dry-run", "only show them"),
    flag("force", "also those of sessions that may still live, and right after a start of the town"),
    allStoresFlag,
  ],
  writes: true,
  run: reclaim,
};

interface Expired {
  readonly graph: WorkGraph;
  readonly record: BeadRecord;
}

async function reclaim(call: Call): Promise<Answer> {
  const { flags } = call;
  const expired = expiredIn(call);
  const judged = expired.map((claim) => ({ ...claim, obstacle: obstacleOf(claim.record, call) }));
  const free = judged.filter(({ obstacle }) => obstacle === undefined);
  const notes = judged.flatMap(({ record, obstacle }) => (obstacle === undefined ? [] : [keptNote(record, obstacle)]));
  if (free.length === 0) return { text: "No expired claim to reclaim.", json: [], notes };
  if (flags.isSet("dry-run"))
    return {
      text: free.map(({ record }) => `Would free ${record.id} (${heldText(record, call)})`).join("\n"),
      json: free.map(({ graph, record }) => listedBead(graph, record)),
      notes,
    };
  const outcomes = await eachBead(
    call,
    free.map(({ record }) => record.id),
    (tx, id) => {
      const before = requireIn(tx, id);
      // It may have been renewed, released or closed since it was looked at.
      if (!leaseExpired(before, tx.now)) return undefined;
      const holder = before.assignee ?? "";
      tx.release(id, { reason: `lease of ${holder} expired ${before.lease_expires_at ?? ""}` });
      return before;
    },
  );
  const freed = outcomes.done.filter(({ value }) => value !== undefined);
  return {
    text: freed
      .map(
        ({ id, value }) =>
          `${call.paint("green", "✓")} Freed ${id} (${value === undefined ? "" : heldText(value, call)})`,
      )
      .join("\n"),
    json: freed.map(({ graph, id, value }) => ({
      ...(value === undefined ? {} : listedBead(graph, graph.get(id) ?? value)),
      former_assignee: value?.assignee,
    })),
    notes: [...notes, ...outcomes.notes],
    exitCode: outcomes.exitCode,
  };
}

function expiredIn(call: Call): readonly Expired[] {
  if (call.args.length === 0)
    return scopeOf(call).flatMap((graph) => expiredClaims(graph, call.now).map((record) => ({ graph, record })));
  return call.args.map((id) => {
    const found = requireBead(id, call.context);
    if (!leaseExpired(found.record, call.now))
      throw new TownError("ClaimValid", `${id} has no expired claim`, {
        hint: isClaimed(found.record)
          ? `${found.record.assignee} holds it until ${timeText(found.record.lease_expires_at)}`
          : "nobody holds it",
      });
    return found;
  });
}

type Obstacle = "TooEarly" | "HolderMayLive";

/** Why an expired claim is kept; undefined: it is free to be taken. */
function obstacleOf(record: BeadRecord, { context, flags, now }: Call): Obstacle | undefined {
  if (flags.isSet("force") && (context.session === undefined || context.session.managesBeads)) return undefined;
  const found = reclaimObstacle(record, {
    now,
    steadyMs: context.steadyMs ?? Number.POSITIVE_INFINITY,
    holderGone: context.holderGone?.(record) === true,
  });
  return found === "NotExpired" ? undefined : found;
}

function keptNote({ id, assignee }: BeadRecord, obstacle: Obstacle): string {
  return obstacle === "HolderMayLive"
    ? `Kept: ${id} is held by ${assignee}, a session that may still live; --force frees it.`
    : `Kept: ${id} is held by ${assignee}; the town has not run evenly for as long as the claim lasts (it was started, or the clock jumped), so it may not have been renewed. --force frees it.`;
}

function heldText(record: BeadRecord, { now }: Call): string {
  return `held by ${cleanLine(record.assignee ?? "nobody")}, expired ${agoText(timeOf(record.lease_expires_at) ?? now, now)}`;
}
