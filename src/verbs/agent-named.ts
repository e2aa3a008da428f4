import { ApiStatusError } from "../errors/town-error.ts";
import type { AgentSpec, AgentStatus } from "../kinds/agent/agent.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";

type AgentObject = TownObject<AgentSpec, AgentStatus>;

/**
 * The Agent that a person means: `toast`, `agent/toast`, `api/toast`, or its identity `api/polecats/toast`. Throws 404,
 * or 409 when several namespaces have one of that name.
 */
export function agentNamed(text: string, ports: Pick<LoopPorts, "objects">): AgentObject {
  const word = text.replace(/^agents?\//, "");
  const all = ports.objects.list("Agent") as readonly AgentObject[];
  const [namespace, name] = word.includes("/") ? word.split("/") : [undefined, word];
  const found = all.filter(
    (agent) =>
      agent.spec.identity === word ||
      (agent.metadata.name === name && (namespace === undefined || agent.metadata.namespace === namespace)),
  );
  const exact = found.find((agent) => agent.spec.identity === word);
  const [first] = exact === undefined ? found : [exact];
  if (first === undefined) throw new ApiStatusError(404, "NotFound", `no agent ${text}`, { hint: "town get agents" });
  if (exact === undefined && found.length > 1)
    throw new ApiStatusError(409, "Conflict", `several agents are called ${word}`, {
      hint: `say which: ${found.map((agent) => agent.spec.identity).join(" or ")}`,
    });
  return first;
}
