import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import { sortBeads } from "../../domain/work-graph/queries/sort-beads.ts";
import type { GraphReader, GraphTransaction } from "../../ports/work-graph.ts";
import { readInput } from "../access/files.ts";
import { requireMayChange, requireMayDelete } from "../access/limits.ts";
import { requireBead, requireIn, storeOf } from "../access/find-bead.ts";
import { claimLease, settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { also, flag, text, texts } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { listedBead, shortBead } from "../output/bead-json.ts";
import { beadLine, briefLine } from "../output/bead-line.ts";
import { cleanLine } from "../output/plain-text.ts";
import type { ClosedBead } from "../writes/close-bead.ts";
import { closeBead, unblockedBy } from "../writes/close-bead.ts";
import type { Outcome } from "../writes/each-bead.ts";
import { originalsOf, restoreTexts } from "./restore.ts";
import { eachBead } from "../writes/each-bead.ts";
import { counted } from "../output/counted.ts";

export const closeCommand: BdCommand = {
  name: "close",
  aliases: ["done"],
  group: "Issues",
  summary: "close beads",
  args: "<id>...",
  flags: [
    also(
      texts("reason", "TEXT", "why; one for all, or one for each id in order", "rm"),
      "message",
      "resolution",
      "comment",
    ),
    text("reason-file", "FILE", "why, from a file; - for stdin"),
    flag("force", "although something is open that it waits for", "f"),
    flag("continue", "go on with the next step of the molecule"),
    flag("suggest-next", "print what can start now"),
    flag("claim-next", "claim the most urgent ready bead in the same transaction"),
  ],
  examples: ['bd close api-x7k2m3 --reason "fixed in 4f2a"', "bd close api-x7k2m3 --suggest-next"],
  writes: true,
  run: close,
};

export const reopenCommand: BdCommand = {
  name: "reopen",
  group: "Issues",
  summary: "open closed beads again",
  args: "<id>...",
  flags: [text("reason", "TEXT", "why; becomes a comment", "r")],
  writes: true,
  run: reopen,
};

export const deleteCommand: BdCommand = {
  name: "delete",
  group: "Issues",
  summary: "delete beads; a tombstone stays, so that the deletion reaches other clones",
  args: "<id>...",
  flags: [
    flag("force", "do it; without, it is only shown", "f"),
    flag("dry-run", "show what would be deleted"),
    flag("cascade", "what depends on them, too"),
    text("from-file", "FILE", "ids from a file, one a line; - for stdin"),
    text("reason", "TEXT", "why", "r"),
  ],
  writes: true,
  run: remove,
};

interface ClosedMore extends ClosedBead {
  readonly unblocked: readonly BeadRecord[];
  readonly claimed: BeadRecord | undefined;
}

async function close(call: Call): Promise<Answer> {
  const { flags, args } = call;
  const reasons = await reasonsFrom(call);
  const lease = claimLease(await settingsOf(call.home, call.context));
  if (args.length > 1 && (flags.isSet("continue") || flags.isSet("claim-next")))
    throw usageError("--continue and --claim-next take one id", "close the others by themselves");
  const outcomes = await eachBead(call, args, (tx, id, i): ClosedMore => {
    const reason = reasons.length > 1 ? reasons[i] : reasons[0];
    const result = closeBead(tx, id, { reason, force: flags.isSet("force") }, call);
    const claimed = claimFollowing(tx, result, call, lease);
    return { ...result, unblocked: unblockedBy(tx, id), claimed };
  });
  return {
    text: outcomes.done.flatMap((outcome) => closedLines(outcome, call)).join("\n"),
    json: closedJson(outcomes.done, call),
    notes: outcomes.notes,
    exitCode: outcomes.exitCode,
  };
}

async function reasonsFrom({ flags, args, context }: Call): Promise<readonly string[]> {
  const file = flags.text("reason-file");
  const reasons = file === undefined ? flags.texts("reason") : [(await readInput(file, context)).trim()];
  if (reasons.length > 1 && reasons.length !== args.length)
    throw usageError(
      `${reasons.length} reasons for ${counted(args.length, "bead")}`,
      "give one --reason for all, or one for each id in order",
    );
  return reasons;
}

/** The step that follows, or the most urgent ready bead, claimed in the transaction that closed this one. */
function claimFollowing(
  tx: GraphTransaction,
  { step }: ClosedBead,
  { flags, author, now }: Call,
  lease: { readonly leaseMs?: number },
): BeadRecord | undefined {
  if (flags.isSet("continue") && step === undefined)
    throw usageError("--continue is for steps of a molecule", "leave it out, or use --claim-next");
  if (!flags.isSet("claim-next")) return undefined;
  const free = tx.ready().filter(({ assignee }) => (assignee ?? "") === "" || assignee === author.actor);
  const [first] = sortBeads(free, "priority", { nowMs: now });
  return first === undefined ? undefined : tx.claim(first.id, author.actor, lease);
}

function closedLines({ value }: Outcome<ClosedMore>, call: Call): readonly string[] {
  const { closed, parents, step, unblocked, claimed, wasClosed } = value;
  if (call.isBrief) return [briefLine(closed)];
  const sign = call.paint("green", "✓");
  const why = cleanLine(closed.close_reason ?? "Closed");
  const lines = [
    wasClosed
      ? `${sign} Already closed ${closed.id} - ${cleanLine(closed.title)}: ${why}`
      : `${sign} Closed ${closed.id} - ${cleanLine(closed.title)}: ${why}`,
    ...parents.map((parent) => `${sign} Closed ${parent.id} - ${cleanLine(parent.title)}: all steps complete`),
  ];
  if (call.flags.isSet("continue") && step !== undefined)
    lines.push(
      step.next === undefined ? "That was the last step." : beadLine(step.next, call, { lead: "Next step: " }),
    );
  if (call.flags.isSet("suggest-next") && unblocked.length > 0)
    lines.push("Newly unblocked:", ...unblocked.map((record) => beadLine(record, call, { lead: "  " })));
  if (call.flags.isSet("claim-next"))
    lines.push(
      claimed === undefined ? "No ready work to claim." : beadLine(claimed, call, { lead: `${sign} Claimed issue: ` }),
    );
  return lines;
}

/** The molecule above a step, however deep. */
function moleculeOf(graph: GraphReader, step: string): string | undefined {
  const parent = graph.parentOf(step);
  return parent?.metadata?.[META.step] === undefined ? parent?.id : moleculeOf(graph, parent.id);
}

/** bd's shapes: an array, or an object with what the flags asked for beside it. */
function closedJson(done: readonly Outcome<ClosedMore>[], { flags }: Call): unknown {
  const closed = done.map(({ graph, value }) => listedBead(graph, graph.get(value.closed.id) ?? value.closed));
  const [first] = done;
  if (flags.isSet("continue"))
    return {
      closed,
      continue: {
        closed_step: first?.id ?? null,
        next_step: first?.value.step?.next === undefined ? null : shortBead(first.value.step.next),
        auto_advanced: first?.value.step?.next !== undefined,
        molecule_complete: first?.value.step !== undefined && first.value.step.next === undefined,
        molecule_id: first === undefined ? null : (moleculeOf(first.graph, first.id) ?? null),
      },
    };
  if (flags.isSet("claim-next"))
    return {
      closed,
      claimed: first?.value.claimed === undefined ? null : listedBead(first.graph, first.value.claimed),
    };
  if (!flags.isSet("suggest-next")) return closed;
  return { closed, unblocked: done.flatMap(({ value }) => value.unblocked.map(shortBead)) };
}

async function reopen(call: Call): Promise<Answer> {
  const reason = call.flags.text("reason");
  // Who works on it again needs its texts, not what was left of them.
  const originals = await originalsOf(call, call.args);
  const { done, notes, exitCode } = await eachBead(call, call.args, (tx, id) => {
    requireMayChange(call, requireIn(tx, id), "reopen");
    const before = requireIn(tx, id);
    const opened = tx.reopen(id, reason === undefined ? {} : { reason });
    return { wasOpen: opened === before, record: restoreTexts(tx, id, originals) ?? opened };
  });
  return {
    text: done
      .map(({ value: { wasOpen, record } }) => {
        const said = wasOpen ? `Not closed: ${record.id} (${record.status})` : `Reopened ${record.id}`;
        return `${call.paint("blue", "↻")} ${said} - ${cleanLine(record.title)}`;
      })
      .join("\n"),
    json: done.map(({ graph, value: { record } }) => listedBead(graph, graph.get(record.id) ?? record)),
    notes,
    exitCode,
  };
}

async function remove(call: Call): Promise<Answer> {
  const { flags, context } = call;
  const args = [...call.args, ...(await idsOfFile(call))];
  if (args.length === 0)
    throw usageError("requires at least 1 arg(s), only received 0", "bd delete ID shows what would be deleted");
  const ids = flags.isSet("cascade") ? withDependents(args, call) : [...new Set(args)];
  const found = ids.flatMap((id) => (isDeleted(id, call) ? [] : [requireBead(id, context)]));
  if (!flags.isSet("force") || flags.isSet("dry-run")) {
    const lines = found.map(({ graph, record }) => {
      const others = graph.dependentsOf(record.id).filter(({ issue_id: other }) => !ids.includes(other));
      const names = others.map(({ issue_id: other }) => other).join(", ");
      const note = others.length === 0 ? {} : { note: `(${names} ${others.length === 1 ? "refers" : "refer"} to it)` };
      return beadLine(record, call, { lead: "  ", ...note });
    });
    return {
      text: [
        `Would delete ${ids.length}:`,
        ...lines,
        ...(flags.isSet("dry-run") ? [] : ["Nothing was deleted; --force does it."]),
      ].join("\n"),
      json: { dry_run: true, would_delete: ids, deleted: [] },
    };
  }
  const reason = flags.text("reason");
  const { done, notes, exitCode } = await eachBead(call, ids, (tx, id) => {
    requireMayDelete(call, requireIn(tx, id));
    const dependents = tx.dependentsOf(id).map(({ issue_id: other }) => other);
    // What waited for it would wait for nothing: the edges go with it.
    for (const other of new Set(dependents)) if (tx.get(other) !== undefined) tx.removeDependency(other, id);
    tx.delete(id, reason);
    context.changedStatus?.(tx, id);
    return dependents.length;
  });
  const edges = done.reduce((sum, { value }) => sum + value, 0);
  return {
    text: [
      ...done.map(({ id }) => `${call.paint("green", "✓")} Deleted ${id}`),
      ...(edges > 0 ? [`  ${counted(edges, "reference")} to ${done.length === 1 ? "it" : "them"} removed`] : []),
    ].join("\n"),
    json: { deleted: done.map(({ id }) => id), deleted_count: done.length, dependencies_removed: edges },
    notes,
    exitCode,
  };
}

/** Ids of `--from-file`, one a line; lines that begin with # are comments. */
async function idsOfFile({ flags, context }: Call): Promise<readonly string[]> {
  const file = flags.text("from-file");
  if (file === undefined) return [];
  const lines = (await readInput(file, context)).split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** This call, made before, has deleted it. */
function isDeleted(id: string, call: Call): boolean {
  return call.hasChanged(storeOf(id, call.context), id);
}

function withDependents(ids: readonly string[], call: Call): readonly string[] {
  const all = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (all.has(id)) continue;
    all.add(id);
    if (isDeleted(id, call)) continue;
    const { graph } = requireBead(id, call.context);
    for (const { issue_id: other } of graph.dependentsOf(id)) if (graph.get(other) !== undefined) open.push(other);
  }
  return [...all];
}
