import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphReader, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb } from "../resource/verb.ts";
import { approve, approvedBy } from "../work/approval.ts";
import { plain } from "../work/message-text.ts";
import { metaText } from "../work/record-fields.ts";
import { MERGE, sendBack } from "../work/submission.ts";
import { checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { requirePermission } from "./permission.ts";

const approveArguments = z.strictObject({ request: z.string().min(1) });
const rejectArguments = z.strictObject({ request: z.string().min(1), reason: z.string().max(20_000).default("") });

/** `town approve REQUEST|BEAD`: lets what is submitted into the merge queue of a rig that asks for approval. */
export function approveVerb(ports: LoopPorts): Verb {
  return {
    name: "approve",
    summary: "approve work that waits to be merged",
    needs: "agent",
    async run({ caller, args }) {
      const { request: given } = argumentsOf("approve", approveArguments, args);
      const { graph, request } = openRequest("approve", given, ports);
      const by = judge("approve", caller, request, ports);
      const names = await graph.transact(by.author, (tx) => {
        by.check(tx);
        approve(tx, stillOpen("approve", tx, request.id), by.name);
        return approvedBy(tx.get(request.id) ?? request);
      });
      return {
        text: `${request.id} is approved by ${names.join(", ")}`,
        data: { id: request.id, approvedBy: names },
      };
    },
  };
}

/** `town reject REQUEST|BEAD --reason TEXT`: takes it out of the queue, and gives the bead back with the reason. */
export function rejectVerb(ports: LoopPorts): Verb {
  return {
    name: "reject",
    summary: "send work that waits to be merged back, with the reason",
    needs: "agent",
    async run({ caller, args }) {
      const options = argumentsOf("reject", rejectArguments, args);
      const reason = plain(options.reason).trim();
      if (reason === "")
        throw new ApiStatusError(400, "BadRequest", "town reject: say what must be different", {
          hint: `town reject ${options.request} --reason "…"`,
        });
      const { graph, request } = openRequest("reject", options.request, ports);
      const by = judge("reject", caller, request, ports);
      const bead = metaText(request, META.bead) ?? "";
      const rig = ports.objects.get({ kind: "Rig", name: graph.namespace }) as TownObject<RigSpec> | undefined;
      const head = metaText(request, MERGE.head) ?? "";
      const outcome = await graph.transact(by.author, (tx) => {
        by.check(tx);
        stillOpen("reject", tx, request.id);
        return sendBack(tx, request.id, {
          reason: `${by.name}: ${reason.split("\n")[0] ?? ""}`,
          feedback: `${by.name} rejected it: ${reason}\nYour former commits are kept: git show ${head}`,
          maxAttempts: rig?.spec.merge.maxAttempts ?? 1,
        });
      });
      ports.events.record(
        { kind: "Bead", namespace: graph.namespace, name: bead },
        { type: "Warning", reason: "MergeRejected", message: `${by.name}: ${reason}` },
      );
      const next = outcome === "Blocked" ? `${bead} was sent back too often and is blocked` : `${bead} is sent back`;
      return { text: `${request.id} is rejected; ${next}`, data: { id: request.id, bead, outcome } };
    },
  };
}

/** The open merge request of that id, or the one of the bead of that id. */
function openRequest(
  verb: string,
  id: string,
  ports: LoopPorts,
): { readonly graph: WorkGraph; readonly request: BeadRecord } {
  const graph = ports.graphs.graphOf(id);
  const named = graph?.get(id);
  const ofBead = named === undefined ? undefined : metaText(named, META.mergeRequest);
  const request = named?.issue_type === "merge-request" ? named : ofBead === undefined ? undefined : graph?.get(ofBead);
  if (graph === undefined || request === undefined)
    throw new ApiStatusError(404, "NotFound", `cannot ${verb} ${id}: no merge request has that id or is of that bead`, {
      hint: "town get mergerequests",
    });
  return { graph, request };
}

function stillOpen(verb: string, graph: GraphReader, id: string): BeadRecord {
  const request = graph.get(id);
  if (request !== undefined && request.status !== "closed") return request;
  throw new ApiStatusError(409, "MergeRequestEnded", `cannot ${verb} ${id}: ${request?.close_reason ?? "it is gone"}`, {
    hint: "town get mergerequests",
  });
}

interface Judge {
  readonly name: string;
  readonly author: { readonly actor: string; readonly session?: string };
  /** Throws for a session that was replaced meanwhile. */
  readonly check: (graph: GraphReader) => void;
}

/** People, and agents whose role may judge merges; nobody judges their own work. */
function judge(verb: string, caller: Caller, request: BeadRecord, ports: LoopPorts): Judge {
  requirePermission(caller, "Merge", `${verb} ${request.id}`, ports);
  if (caller.session === undefined)
    return { name: caller.name, author: { actor: caller.name }, check: () => undefined };
  const session = sessionOf(verb, caller, ports);
  if (metaText(request, MERGE.author) === session.identity)
    throw new ApiStatusError(
      403,
      "Forbidden",
      `${session.identity} may not ${verb} ${request.id}: it is its own work`,
      {
        hint: "leave it to somebody else",
      },
    );
  return {
    name: session.identity,
    author: session.author,
    check: (graph) => checkFence(graph, session.name, session.generation),
  };
}
