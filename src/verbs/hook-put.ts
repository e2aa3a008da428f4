import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { AgentPoolSpec } from "../kinds/agent-pool/agent-pool.schema.ts";
import type { RoleSpec } from "../kinds/role/role.schema.ts";
import type { Formula } from "../domain/formulas/formula.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction, NewBead } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { VerbResult } from "../resource/verb.ts";
import type { AddressedAgent } from "../work/agent-address.ts";
import { AGENT, type AgentDeclaration, agentRecord, hookOf } from "../work/agent-record.ts";
import { hookBead } from "../work/hooking.ts";
import { metaText } from "../work/record-fields.ts";
import { authorOf } from "./agent-session.ts";
import { missingBead } from "./missing-bead.ts";
import type { Once } from "./repeatable.ts";

export interface HookRequest {
  readonly agent: Pick<AddressedAgent, "namespace" | "name" | "identity" | "graph">;
  /** Its id, or what is to be made and hooked in one. */
  readonly bead: string | NewBead;
  readonly caller: Caller;
  /** Poured instead of the pool's or role's. */
  readonly formula?: Formula | undefined;
  /** Values of its variables. */
  readonly values?: Readonly<Record<string, string>> | undefined;
  /** Name of the transaction, whose answer is the verb's. */
  readonly once: Once["whole"];
}

/**
 * Puts a bead on an agent's hook, as its pool would: the claim and the molecule in one transaction. Repeating it changes
 * nothing. Throws 404, 409 (`HookTaken`, `AlreadyClaimed`, `Blocked`, `Closed`, `OtherStore`), each with the next command.
 */
export async function putOnHook(request: HookRequest, ports: LoopPorts): Promise<VerbResult> {
  const { agent, bead, caller } = request;
  const { identity, namespace, graph } = agent;
  if (typeof bead === "string") requireOwn(bead, agent, ports);
  const hook = (tx: GraphTransaction): HookResult => {
    const id = typeof bead === "string" ? bead : tx.create(bead).id;
    checkFree(tx, id, agent);
    const formula = request.formula ?? formulaOf(declarationOf(tx, agent), namespace, ports);
    const what = { bead: id, agent: declarationOf(tx, agent), prefix: graph.prefix, formula, values: request.values };
    if (hookBead(tx, what) === undefined)
      throw new ApiStatusError(409, "NotHookable", `${id} cannot be hooked to ${identity}`, { hint: `bd show ${id}` });
    return { text: `${id} is on the hook of ${identity}`, data: { agent: identity, bead: id } };
  };
  const result = await graph.transact(authorOf(caller), hook, request.once);
  const { bead: id } = result.data;
  ports.events.record(
    { kind: "Agent", namespace, name: agent.name },
    { type: "Normal", reason: "WorkHooked", message: `${id} hooked to ${identity}`, actor: caller.name },
  );
  return result;
}

type HookResult = VerbResult & { readonly data: { readonly agent: string; readonly bead: string } };

function requireOwn(id: string, { identity, namespace }: HookRequest["agent"], ports: LoopPorts): void {
  const owner = ports.graphs.graphOf(id);
  if (owner?.get(id) === undefined) throw missingBead(id, ports);
  if (owner.namespace === namespace) return;
  throw new ApiStatusError(
    409,
    "OtherStore",
    `${id} belongs to ${owner.namespace}, and ${identity} works in ${namespace}`,
    { hint: `town get agents -n ${owner.namespace}` },
  );
}

const NO_WORK_FOR_A_HOOK: ReadonlySet<string> = new Set(["agent", "molecule", "merge-request", "merge-queue"]);

function checkFree(tx: GraphTransaction, id: string, agent: HookRequest["agent"]): void {
  const bead = tx.get(id) as BeadRecord;
  const held = hookOf(tx, agent.identity);
  if (held !== undefined && held.id !== id)
    throw new ApiStatusError(409, "HookTaken", `${agent.identity} has ${held.id} on its hook: ${held.title}`, {
      hint: `town hook ${agent.identity} --clear, or sling ${id} to its pool: town sling ${id}`,
    });
  if (held !== undefined) return;
  if (NO_WORK_FOR_A_HOOK.has(bead.issue_type))
    throw new ApiStatusError(409, "NotWork", `${id} is of type ${bead.issue_type}, which is no work for a hook`, {
      hint: "bd ready",
    });
  if (bead.assignee !== undefined && bead.assignee !== agent.identity)
    throw new ApiStatusError(409, "AlreadyClaimed", `${id} is taken by ${bead.assignee}`, {
      hint: `town hook ${bead.assignee} --clear`,
    });
  if (bead.status !== "open")
    throw new ApiStatusError(409, "NotOpen", `${id} is ${bead.status}`, {
      hint: bead.status === "closed" ? `bd reopen ${id}` : `bd update ${id} --status open`,
    });
  if (tx.isBlocked(id)) {
    const blockers = tx.blockersOf(id).map((blocker) => blocker.id);
    throw new ApiStatusError(409, "Blocked", `${id} waits for ${blockers.join(", ") || "its epic"}`, {
      hint: `bd show ${blockers[0] ?? id}`,
    });
  }
}

/** The agent as it is declared; with work on its hook it must have a session. */
function declarationOf(tx: GraphTransaction, agent: HookRequest["agent"]): AgentDeclaration {
  const record = agentRecord(tx, agent.name);
  if (record === undefined)
    throw new ApiStatusError(404, "NotFound", `there is no agent ${agent.identity}`, { hint: "town get agents" });
  return {
    name: agent.name,
    identity: agent.identity,
    role: metaText(record, AGENT.role) ?? "",
    pool: metaText(record, AGENT.pool) ?? "",
    desired: metaText(record, AGENT.desired) === "Running" ? "Running" : "OnWork",
  };
}

function formulaOf(agent: AgentDeclaration, namespace: string, ports: LoopPorts): Formula | undefined {
  const pool = ports.objects.get({ kind: "AgentPool", namespace, name: agent.pool }) as
    | TownObject<AgentPoolSpec>
    | undefined;
  const role = ports.objects.get({ kind: "Role", name: agent.role }) as TownObject<RoleSpec> | undefined;
  const name = pool?.spec.formula ?? role?.spec.formula;
  return name === undefined ? undefined : ports.formulas.get(name);
}
