import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import type { ObjectKey, TownObject } from "../../resource/object-meta.ts";
import { agentOfSession } from "./agent-of-session.ts";
import type { AgentObject } from "./agent.observe.ts";
import { executeHooks } from "./hooks.execute.ts";
import { observeHooks } from "./hooks.observe.ts";
import type { HooksObserved } from "./hooks.observed.ts";
import { type HooksAction, planHooks } from "./hooks.plan.ts";

function agentOfMessage(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const { namespace } = changed.metadata;
  const { to } = changed.spec as { readonly to?: string };
  if (namespace === undefined || to === undefined) return [];
  const name = to.split("/").at(-1) ?? to;
  return ports.objects.get({ kind: "Agent", namespace, name }) === undefined
    ? []
    : [{ kind: "Agent", namespace, name }];
}

function agentOfBead(changed: TownObject): readonly ObjectKey[] {
  const { namespace } = changed.metadata;
  const assignee = (changed.status as { readonly assignee?: string } | undefined)?.assignee;
  const name = assignee?.split("/").at(-1);
  return namespace === undefined || name === undefined ? [] : [{ kind: "Agent", namespace, name }];
}

/** A limit that was lifted: who waits for it goes on. */
function agentsOfProvider(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const pools = new Set(
    ports.objects
      .list("AgentPool")
      .filter(({ spec }) => (spec as { readonly provider?: string }).provider === changed.metadata.name)
      .map(({ metadata }) => `${metadata.namespace ?? "hq"}/${metadata.name}`),
  );
  return ports.objects
    .list("Agent")
    .map(({ metadata, spec }) => ({ namespace: metadata.namespace ?? "hq", name: metadata.name, spec }))
    .filter(({ namespace, spec }) => pools.has(`${namespace}/${(spec as { readonly pool?: string }).pool ?? ""}`))
    .map(({ namespace, name }) => ({ kind: "Agent", namespace, name }));
}

/** Keeps agents at what is on their hook, and brings messages to them. Idle agents cost no look at their screen. */
export const hooks = runnable<HooksObserved, HooksAction, LoopPorts, AgentObject>({
  name: "hooks",
  kind: "Agent",
  watches: [
    { kind: "Session", by: "Map", keys: agentOfSession },
    { kind: "Message", by: "Map", keys: agentOfMessage },
    { kind: "Bead", by: "Map", keys: agentOfBead },
    { kind: "Provider", by: "Map", keys: agentsOfProvider },
  ],
  resyncMs: 60_000,
  ownedConditions: ["RateLimited", "AuthRequired", "DialogOpen", "QuestionOpen", "MessagesUnconfirmed", "Unresponsive"],
  observe: observeHooks,
  plan: planHooks,
  execute: executeHooks,
});
