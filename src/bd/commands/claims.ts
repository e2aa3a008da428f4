import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { expiredClaims } from "../../domain/work-graph/queries/attention.ts";
import { generationOf, isClaimed } from "../../domain/work-graph/record/facts.ts";
import { leaseExpired, leaseLengthMs } from "../../domain/work-graph/rules/claim.ts";
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
    flag("force", "also those of sessions that may still live"),
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
  const free = expired.filter(({ record }) => isReclaimable(record, call));
  const kept = expired.filter((claim) => !free.includes(claim));
  const notes = kept.map(
    ({ record }) =>
      `Kept: ${record.id} is held by ${record.assignee}, a session that may still live; --force frees it.`,
  );
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

/** A session's claim is renewed by whoever watches the session: that it ran out does not say that the session is gone. */
function isReclaimable(record: BeadRecord, { context, flags }: Call): boolean {
  if (generationOf(record) === undefined) return true;
  if (context.holderGone?.(record) === true) return true;
  return flags.isSet("force") && (context.session === undefined || context.session.managesBeads);
}

function heldText(record: BeadRecord, { now }: Call): string {
  return `held by ${cleanLine(record.assignee ?? "nobody")}, expired ${agoText(timeOf(record.lease_expires_at) ?? now, now)}`;
}
