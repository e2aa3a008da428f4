import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { WorkGraph } from "../ports/work-graph.ts";
import { agentNamed } from "../work/agent-address.ts";
import { OVERSEER } from "../work/mailbox.ts";

/** Somebody with an inbox, and the store that holds it. */
export interface Mailbox {
  readonly identity: string;
  readonly graph: WorkGraph;
  /** Identity record; absent for people, whose inbox is the town's own. */
  readonly agent?: BeadRecord;
}

/**
 * The inbox that an address means: `overseer`, an e-mail address, or whatever `agentNamed` takes for an agent, the caller's
 * own rig first. Throws 404 or 409 with what to write.
 */
export function mailboxOf(address: string, ports: LoopPorts, near?: string): Mailbox {
  if (address === OVERSEER || /^[^\s/@]+@[^\s/@]+$/.test(address))
    return { identity: address, graph: townGraph(ports) };
  const { identity, graph, record } = agentNamed(
    address,
    ports,
    near,
    "town get agents; people are `overseer` or an e-mail address",
  );
  return { identity, graph, agent: record };
}

export function townGraph(ports: LoopPorts): WorkGraph {
  const graph = ports.graphs.graph("hq");
  if (graph === undefined)
    throw new ApiStatusError(503, "ServiceUnavailable", "the work graph of the town is not open yet; try again", {
      hint: "it opens within seconds of the controller's start",
    });
  return graph;
}
