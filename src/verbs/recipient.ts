import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { WorkGraph } from "../ports/work-graph.ts";
import { AGENT } from "../work/agent-record.ts";
import { OVERSEER } from "../work/mailbox.ts";
import { metaText } from "../work/record-fields.ts";

/** Somebody with an inbox, and the store that holds it. */
export interface Mailbox {
  readonly identity: string;
  readonly graph: WorkGraph;
  /** Identity record; absent for people, whose inbox is the town's own. */
  readonly agent?: BeadRecord;
}

/**
 * The inbox that an address means: an identity (`api/polecats/toast`, `mayor`), `overseer`, an e-mail address, or a name
 * (`toast`, `api/toast`) that only one agent has, the caller's own rig first. Throws 404 or 409 with what to write.
 */
export function mailboxOf(address: string, ports: LoopPorts, near?: string): Mailbox {
  const text = address.replace(/^agents?\//, "");
  if (text === OVERSEER || /^[^\s/@]+@[^\s/@]+$/.test(text)) return { identity: text, graph: townGraph(ports) };
  const agents = ports.graphs
    .all()
    .flatMap((graph) => graph.list({ type: ["agent"] }).map((agent) => ({ graph, agent, identity: agent.title })));
  const exact = agents.find(({ identity }) => identity === text);
  if (exact !== undefined) return exact;
  const [name = text, namespace] = text.split("/").toReversed();
  const named = agents.filter(({ agent }) => metaText(agent, AGENT.name) === name);
  const found = named.filter(({ graph }) => namespace === undefined || graph.namespace === namespace);
  const own =
    namespace === undefined && near !== undefined ? found.filter(({ graph }) => graph.namespace === near) : [];
  const [first, second] = own.length > 0 ? own : found;
  if (first === undefined)
    throw new ApiStatusError(404, "NotFound", `nobody is called ${text}`, {
      hint: "town get agents; people are `overseer` or an e-mail address",
    });
  if (second !== undefined)
    throw new ApiStatusError(409, "Conflict", `several agents are called ${text}`, {
      hint: `say which: ${found.map(({ identity }) => identity).join(" or ")}`,
    });
  return first;
}

export function townGraph(ports: LoopPorts): WorkGraph {
  const graph = ports.graphs.graph("hq");
  if (graph === undefined)
    throw new ApiStatusError(503, "ServiceUnavailable", "the work graph of the town is not open yet; try again", {
      hint: "it opens within seconds of the controller's start",
    });
  return graph;
}
