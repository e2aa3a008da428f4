import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";

/** Metadata keys of a bead of type `agent`. */
export const AGENT = {
  name: "town.agentName",
  role: "town.role",
  pool: "town.pool",
  desired: "town.desired",
  generation: "town.generation",
  /** The hook that a session has read last: `{ bead, fence, generation, at }`. */
  acknowledged: "town.acknowledged",
  /** How its newest session was started: a LaunchFact. */
  launch: "town.launch",
  /** Conversations that its programs held, newest first. */
  conversations: "town.conversations",
  /** How far the records of its conversations were read, by conversation. */
  usagePlaces: "town.usagePlaces",
  /** A program that a person started: see work/joined.ts. */
  joined: "town.joined",
  /** What its last session left for the next: see work/handoff.ts. */
  handoff: "town.handoff",
  /** What its newest conversation was told: `{ session, told }`. */
  primed: "town.primed",
} as const;

export interface AgentIdentity {
  readonly namespace: string;
  readonly rolePlural: string;
  readonly name: string;
  readonly singleton: boolean;
}

/** `api/polecats/toast`; singletons are `api/witness`, or just `mayor` in the town's own namespace. */
export function identityText(identity: AgentIdentity): string {
  if (!identity.singleton) return `${identity.namespace}/${identity.rolePlural}/${identity.name}`;
  return identity.namespace === "hq" ? identity.name : `${identity.namespace}/${identity.name}`;
}

/** Where task branches are: below `town/agents`, so that they cannot collide with `town/work`. */
export const TASK_BRANCHES = "refs/heads/town/agents/";

/** Branch of a task. */
export function taskBranch(namespace: string, agent: string, bead: string | undefined): string {
  return `${TASK_BRANCHES}${namespace}/${agent}/${bead ?? "home"}`;
}

/** Key under which the agent's identity is made once. */
export function agentKey(name: string): string {
  return `agent/${name}`;
}

export function agentRecord(graph: GraphReader, name: string): BeadRecord | undefined {
  return graph.byKey(agentKey(name));
}

/** Work the agent must run now: the bead hooked or in progress with that assignee; the oldest, should there be several. */
export function hookOf(graph: GraphReader, identity: string): BeadRecord | undefined {
  return graph
    .list({ assignee: identity, status: ["hooked", "in_progress"] })
    .filter((record) => record.issue_type !== "agent")
    .toSorted((a, b) => (a.started_at ?? a.updated_at).localeCompare(b.started_at ?? b.updated_at))[0];
}

export interface AgentDeclaration {
  readonly name: string;
  readonly identity: string;
  readonly role: string;
  readonly pool: string;
  readonly desired: "Running" | "OnWork" | "Stopped";
}

/**
 * Makes or updates the identity. Identities are never deleted. Undefined: the name is that of another pool's agent, which
 * may have got it since the caller looked.
 */
export function declareAgent(tx: GraphTransaction, prefix: string, agent: AgentDeclaration): BeadRecord | undefined {
  const metadata = {
    [AGENT.name]: agent.name,
    [AGENT.role]: agent.role,
    [AGENT.pool]: agent.pool,
    [AGENT.desired]: agent.desired,
  };
  const former = agentRecord(tx, agent.name);
  if (former === undefined) {
    return tx.create({
      id: `${prefix}-agent-${agent.name}`,
      title: agent.identity,
      issue_type: "agent",
      metadata: { ...metadata, "town.key": agentKey(agent.name), [AGENT.generation]: 0 },
    });
  }
  if (former.metadata?.[AGENT.pool] !== agent.pool) return undefined;
  const same = Object.entries(metadata).every(([key, value]) => former.metadata?.[key] === value);
  return same ? former : tx.setMetadata(former.id, metadata);
}

/** Raises the agent's generation: whatever an older one says from now on is refused. */
export function nextGeneration(tx: GraphTransaction, name: string, bead: string | undefined): number {
  const record = agentRecord(tx, name);
  if (record === undefined) throw new Error(`agent ${name} has no identity`);
  const generation = generationOf(record) + 1;
  tx.setMetadata(record.id, { [AGENT.generation]: generation });
  if (bead !== undefined) tx.setMetadata(bead, { [AGENT.generation]: generation });
  return generation;
}

export function generationOf(record: BeadRecord): number {
  const value = record.metadata?.[AGENT.generation];
  return typeof value === "number" ? value : 0;
}
