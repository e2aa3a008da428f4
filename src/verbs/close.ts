import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb } from "../resource/verb.ts";
import { endAnsweredEscalations } from "../work/escalation.ts";
import { closeStep, moleculeOf } from "../work/molecule.ts";
import { authorOf, checkFence, hookedBead, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { missingBead } from "./missing-bead.ts";
import { requirePermission } from "./permission.ts";
import { repeatable } from "./repeatable.ts";

const closeArguments = z.strictObject({
  ids: z.array(z.string()).min(1).optional(),
  id: z.string().optional(),
  continue: z.boolean().default(false),
  reason: z.string().max(10_000).optional(),
  force: z.boolean().default(false),
});

/** `town close ID --continue`: closes a step (or a bead) and prints the step that follows, in one transaction. */
export function closeVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "close",
    summary: "close a step or a bead; --continue goes on with the next step",
    needs: "agent",
    async run({ caller, args }, once) {
      const options = argumentsOf("close", closeArguments, args);
      const ids = options.ids ?? (options.id === undefined ? [] : [options.id]);
      if (ids.length === 0)
        throw new ApiStatusError(400, "BadRequest", "town close: the id of a step or bead is required", {
          hint: "town close ID --continue",
        });
      const lines: string[] = [];
      const data: unknown[] = [];
      for (const id of ids) {
        const graph = graphFor(id, ports);
        const result = await graph.transact(
          authorOf(caller),
          (tx) => closeOne(tx, id, options, { caller, ports }),
          once.part(id),
        );
        lines.push(result.text);
        data.push(result.data);
      }
      return { text: lines.join("\n"), data: options.continue && data.length === 1 ? data[0] : data };
    },
  });
}

function graphFor(id: string, ports: LoopPorts): WorkGraph {
  const graph = ports.graphs.graphOf(id);
  if (graph === undefined) throw missingBead(id, ports);
  return graph;
}

function closeOne(
  tx: GraphTransaction,
  id: string,
  options: z.infer<typeof closeArguments>,
  by: { readonly caller: Caller; readonly ports: LoopPorts },
) {
  const record = tx.get(id);
  if (record === undefined) throw missingBead(id, by.ports);
  const session = by.caller.session === undefined ? undefined : sessionOf("close", by.caller, by.ports);
  if (session !== undefined) checkFence(tx, session.name, session.generation);
  if (record.metadata?.[META.step] === undefined) {
    if (session !== undefined && record.assignee === session.identity) {
      throw new ApiStatusError(409, "HookNotDone", `${id} is on your hook; its work would be lost by closing it`, {
        hint: "town done --outcome Submitted",
      });
    }
    if (session !== undefined) requireMayClose(record, session.identity, by);
    tx.close(id, { reason: options.reason ?? "Closed", force: options.force });
    endAnsweredEscalations(tx, id);
    return { text: `Closed ${id}: ${record.title}`, data: { closed: [id] } };
  }
  if (session !== undefined) {
    const molecule = hookedBead("close", session, tx).metadata?.[META.molecule];
    if (molecule !== moleculeOf(tx, id)?.id)
      throw new ApiStatusError(403, "Forbidden", `${id} is no step of the work on your hook`, {
        hint: "town mol current",
      });
  }
  const { next, heldBy } = closeStep(tx, id, options.reason);
  const step = String(record.metadata[META.step]);
  if (!options.continue) return { text: `Closed ${id} (${step})`, data: { closed: [id] } };
  const following =
    next === undefined ? undefined : { id: next.id, name: String(next.metadata?.[META.step]), title: next.title };
  return {
    text:
      following === undefined
        ? `Closed ${id} (${step}). ${afterLast(heldBy)}`
        : `Closed ${id} (${step}). Next: ${following.name} (${following.id}): ${following.title}`,
    data: {
      closed: [id],
      continue: {
        closed_step: id,
        next_step: following ?? null,
        auto_advanced: following !== undefined,
        molecule_complete: following === undefined && heldBy.length === 0,
      },
    },
  };
}

/** What to do when no step can be done: all are, or those left wait for somebody else. */
function afterLast(heldBy: readonly BeadRecord[]): string {
  const [gate] = heldBy;
  return gate === undefined
    ? "That was the last step; now: town done"
    : `The steps left wait for ${gate.id} (${gate.title}); now: town done --outcome Blocked --on ${gate.id}`;
}

/** Records of the machinery end by what they are about, and what somebody else works on is theirs to end. */
function requireMayClose(
  record: BeadRecord,
  identity: string,
  by: { readonly caller: Caller; readonly ports: LoopPorts },
): void {
  requirePermission(by.caller, "CloseBeads", `close ${record.id}`, by.ports);
  const why = MACHINERY.has(record.issue_type)
    ? `beads of type ${record.issue_type} belong to the town`
    : record.assignee !== undefined && record.assignee !== identity
      ? `${record.assignee} works on it`
      : undefined;
  if (why === undefined) return;
  throw new ApiStatusError(403, "Forbidden", `${identity} may not close ${record.id}: ${why}`, {
    hint: `say what you know: bd comment ${record.id} "…"`,
  });
}

const MACHINERY: ReadonlySet<string> = new Set([
  "agent",
  "gate",
  "merge-request",
  "merge-queue",
  "molecule",
  "message",
  "convoy",
  "escalation",
]);
