import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { WorkGraph } from "../ports/work-graph.ts";
import { AGENT } from "./agent-record.ts";
import { metaText } from "./record-fields.ts";

/** An agent that was asked for by name. */
export interface AddressedAgent {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly graph: WorkGraph;
  readonly record: BeadRecord;
}

/**
 * The agent that a text means: its identity (`api/polecats/toast`, `mayor`, `api/witness`), `toast`, `api/toast`,
 * `agent/toast`, the name of its session on the runtime, or the name of a pool that has this one agent only. Nearer
 * meanings win, and among equals the one in `home`. `hint`: what to do when there is none. Throws 404, or 409 when several are meant equally.
 */
export function agentNamed(
  text: string,
  ports: Pick<LoopPorts, "graphs">,
  home?: string,
  hint = "town get agents",
): AddressedAgent {
  const wanted = text.replace(/^(?:agents?|ag|sessions?|ses|sandbox(?:es)?|sb)\//, "");
  const agents = allAgents(ports);
  for (const meaning of MEANINGS) {
    const found = agents.filter((agent) => meaning(agent, wanted, agents));
    const near = found.filter((agent) => agent.namespace === home);
    const [first, ...more] = near.length > 0 ? near : found;
    if (first === undefined) continue;
    if (more.length === 0) return first;
    throw new ApiStatusError(409, "Ambiguous", `several agents are called ${text}`, {
      hint: `say which: ${[first, ...more].map((agent) => agent.identity).join(" or ")}`,
    });
  }
  throw new ApiStatusError(404, "NotFound", `no agent is called ${text}`, { hint });
}

export function allAgents(ports: Pick<LoopPorts, "graphs">): readonly AddressedAgent[] {
  return ports.graphs.all().flatMap((graph) =>
    graph.list({ type: ["agent"] }).flatMap((record) => {
      const name = metaText(record, AGENT.name);
      return name === undefined
        ? []
        : [{ namespace: graph.namespace, name, identity: record.title, graph, record } satisfies AddressedAgent];
    }),
  );
}

type Meaning = (agent: AddressedAgent, text: string, all: readonly AddressedAgent[]) => boolean;

/** What a text may mean, nearest first. */
const MEANINGS: readonly Meaning[] = [
  (agent, text) => agent.identity === text,
  (agent, text) => `${agent.namespace}/${agent.name}` === text,
  (agent, text) => agent.name === text,
  (agent, text) => `${agent.namespace}-${metaText(agent.record, AGENT.role) ?? ""}-${agent.name}` === text,
  (agent, text, all) => {
    const pool = poolOf(agent);
    return (
      (pool === text || `${agent.namespace}/${pool}` === text) &&
      all.filter((other) => other.namespace === agent.namespace && poolOf(other) === pool).length === 1
    );
  },
];

function poolOf(agent: AddressedAgent): string {
  return metaText(agent.record, AGENT.pool) ?? "";
}
