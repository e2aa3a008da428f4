import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { VerbResult } from "../resource/verb.ts";
import type { AddressedAgent } from "../work/agent-address.ts";
import { hookOf } from "../work/agent-record.ts";
import { pinRef, sandboxFact } from "../work/sandbox-fact.ts";
import { afterWork, authorOf, checkFence, sessionOf } from "./agent-session.ts";
import type { Once } from "./repeatable.ts";
import { listed, sandboxPlace } from "./sandbox-place.ts";
import { counted } from "../domain/text/counted.ts";

export interface ClearRequest {
  readonly agent: Pick<AddressedAgent, "namespace" | "name" | "identity" | "graph">;
  readonly caller: Caller;
  readonly reason: string | undefined;
  /** Although files are not committed: they go to a rescue ref when the sandbox is removed. */
  readonly force: boolean;
  /** The agent's own session asks. */
  readonly own: boolean;
  /** Name of the transaction, whose answer is the verb's. */
  readonly once: Once["whole"];
}

/**
 * Hands the work on: what is committed is pinned, then the claim is given back, so that whoever takes the bead next goes
 * on from that branch at the same step. Refuses uncommitted work unless forced.
 */
export async function clearHook(request: ClearRequest, ports: LoopPorts): Promise<VerbResult> {
  const { agent, caller, own } = request;
  const { identity } = agent;
  const bead = hookOf(agent.graph, identity);
  if (bead === undefined)
    return { text: `nothing is on the hook of ${identity}`, data: { agent: identity, cleared: null } };
  const place = await sandboxPlace(agent, ports);
  if (place !== undefined) {
    const open = [...place.status.changed, ...place.status.untracked];
    if (open.length > 0 && !request.force)
      throw new ApiStatusError(
        409,
        "UncommittedWork",
        `${bead.id}: not committed in ${place.path}: ${counted(open.length, "file")} (${listed(open)})`,
        {
          hint: own
            ? "git add -A && git commit, then: town hook --clear"
            : `town hook ${identity} --clear --force keeps them in a rescue ref`,
        },
      );
    const { head } = place.status;
    if (head !== undefined && head !== sandboxFact(bead)?.base)
      await place.repository.updateRefs(
        [{ ref: pinRef(bead.id, head), to: head }],
        `town: handed on by ${caller.name}`,
      );
  }
  const next = own ? `. ${afterWork(sessionOf("hook", caller, ports).role)}` : "";
  const result: VerbResult = {
    text: `${bead.id} is off the hook of ${identity}; whoever takes it goes on from its branch${next}`,
    data: { agent: identity, cleared: bead.id },
  };
  const clear = (tx: GraphTransaction): VerbResult => {
    if (own && caller.session !== undefined) checkFence(tx, agent.name, caller.session.generation);
    if (hookOf(tx, identity)?.id !== bead.id) return result;
    if (request.reason !== undefined) tx.comment(bead.id, `Handed on by ${caller.name}: ${request.reason}`);
    tx.release(bead.id, { reason: request.reason ?? "handed on" });
    return result;
  };
  await agent.graph.transact(authorOf(caller), clear, request.once);
  ports.events.record(
    { kind: "Agent", namespace: agent.namespace, name: agent.name },
    { type: "Normal", reason: "HookCleared", message: `${bead.id} was handed on`, actor: caller.name },
  );
  return result;
}
