import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { RoleSpec } from "../kinds/role/role.schema.ts";
import type { AgentPoolSpec } from "../kinds/agent-pool/agent-pool.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Author, GraphReader, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { startedFor } from "../work/conversation.ts";
import { metaText } from "../work/record-fields.ts";
import { AGENT, agentRecord, generationOf, hookOf } from "../work/agent-record.ts";

/** The session that calls, checked against the graph. */
export interface AgentSession {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly generation: number;
  readonly graph: WorkGraph;
  readonly record: BeadRecord;
  readonly role: TownObject<RoleSpec> | undefined;
  readonly pool: TownObject<AgentPoolSpec> | undefined;
  readonly sandbox: string;
  readonly author: { readonly actor: string; readonly session: string };
}

/** What an agent does whose hook is empty now. Sessions of a Persistent role go on. */
export function afterWork(role: AgentSession["role"]): string {
  return role?.spec.lifecycle === "Persistent" ? "Wait at your prompt for what comes next." : "End this session.";
}

/** Throws 403 for callers that are no session and 409 `Fenced` for a session that was replaced. */
export function sessionOf(verb: string, caller: Caller, ports: LoopPorts): AgentSession {
  if (caller.session === undefined) {
    throw new ApiStatusError(403, "Forbidden", `town ${verb} is for agent sessions; you are ${caller.name}`, {
      hint: "run it inside a session, or see `town help`",
    });
  }
  const { namespace, agent, generation } = caller.session;
  const graph = ports.graphs.graph(namespace);
  if (graph === undefined)
    throw new ApiStatusError(503, "ServiceUnavailable", `the work graph of ${namespace} is not open yet; try again`, {
      hint: "it opens within seconds of the controller's start",
    });
  const record = agentRecord(graph, agent);
  if (record === undefined)
    throw new ApiStatusError(404, "NotFound", `no agent ${agent} in ${namespace}`, {
      hint: "end this program: whom it speaks for is no more",
    });
  checkFence(graph, agent, generation);
  const roleName = metaText(record, AGENT.role) ?? "";
  const role = ports.objects.get({ kind: "Role", name: roleName }) as TownObject<RoleSpec> | undefined;
  const pool = ports.objects.get({ kind: "AgentPool", namespace, name: metaText(record, AGENT.pool) ?? "" }) as
    | TownObject<AgentPoolSpec>
    | undefined;
  return {
    namespace,
    name: agent,
    identity: record.title,
    generation,
    graph,
    record,
    role,
    pool,
    sandbox: ports.layout.sandbox(namespace, role?.spec.plural ?? `${roleName}s`, agent),
    author: { actor: record.title, session: `${agent}@${generation}` },
  };
}

/** Who a verb's changes are by: the session, or the person. */
export function authorOf(caller: Caller): Author {
  const { session } = caller;
  return session === undefined
    ? { actor: caller.name }
    : { actor: caller.name, session: `${session.agent}@${session.generation}` };
}

/**
 * Refuses what a session of an older generation says, and one whose own work is over while other work is on the hook already:
 * what it did would be in the worktree of the former, and lost to the session that is started for the new. Call it inside the
 * transaction that acts.
 */
export function checkFence(graph: GraphReader, agent: string, generation: number): void {
  const record = agentRecord(graph, agent);
  const current = record === undefined ? 0 : generationOf(record);
  if (current !== generation)
    throw fenced(
      `this session (generation ${generation}) was replaced by generation ${current}; it may do nothing more`,
    );
  const own = record === undefined ? undefined : startedFor(record);
  if (record === undefined || own === undefined) return;
  const held = hookOf(graph, record.title);
  if (held !== undefined && held.id !== own)
    throw fenced(
      `this session was started for ${own}, which is closed or handed on; ${held.id} on the hook is for the next session`,
    );
}

function fenced(message: string): ApiStatusError {
  return new ApiStatusError(409, "Fenced", message, { hint: "end this program" });
}

/** The bead on the session's hook. Throws 409 `NothingOnHook`. */
export function hookedBead(verb: string, session: AgentSession, graph: GraphReader = session.graph): BeadRecord {
  const bead = hookOf(graph, session.identity);
  if (bead === undefined)
    throw new ApiStatusError(409, "NothingOnHook", `town ${verb}: nothing is on the hook of ${session.identity}`, {
      hint: "town prime",
    });
  return bead;
}
