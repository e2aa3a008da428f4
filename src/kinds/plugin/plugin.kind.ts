import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import type { ObjectKey, TownObject } from "../../resource/object-meta.ts";
import { rigAspect, townAspect } from "../aspects.ts";
import { executePlugin } from "./plugin.execute.ts";
import { observePlugin, type PluginObject, type PluginObserved } from "./plugin.observe.ts";
import { pluginOfLabels } from "../../work/plugin-run.ts";
import { type PluginAction, planPlugin } from "./plugin.plan.ts";

/** Plugins whose gate waits for Events with this one's reason. */
function pluginsOfEvent(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const { reason } = changed as { readonly reason?: string };
  return (ports.objects.list("Plugin") as readonly PluginObject[])
    .filter(({ spec }) => spec.gate.event !== undefined && spec.gate.event === reason)
    .map(({ metadata }) => ({ kind: "Plugin", namespace: metadata.namespace ?? "hq", name: metadata.name }));
}

/** The plugin that a bead is a run of: the rig's own, or the town's about rigs. */
function pluginOfRun(changed: TownObject, ports: LoopPorts): readonly ObjectKey[] {
  const name = pluginOfLabels((changed.spec["labels"] ?? []) as readonly string[]);
  if (name === undefined) return [];
  return [changed.metadata.namespace ?? "hq", "hq"]
    .map((namespace) => ({ kind: "Plugin", namespace, name }))
    .filter((key) => ports.objects.get(key) !== undefined);
}

/** Runs plugins when they are due: programs itself, other work through the pools of agents. */
export const plugins = runnable<PluginObserved, PluginAction, LoopPorts, PluginObject>({
  name: "plugins",
  kind: "Plugin",
  watches: [
    { kind: "Bead", by: "Map", keys: pluginOfRun },
    { kind: "Event", by: "Map", keys: pluginsOfEvent },
    { kind: "Rig", by: "All", aspect: rigAspect },
    { kind: "Town", by: "All", aspect: townAspect },
    { kind: "AgentPool", by: "All", aspect: ({ metadata }) => String(metadata.generation) },
  ],
  resyncMs: 600_000,
  finalizer: "town.dev/plugin",
  // Runs have limits of their own; this only bounds what no limit bounds.
  timeoutMs: 24 * 3_600_000,
  ownedConditions: ["Ready"],
  observe: observePlugin,
  plan: planPlugin,
  execute: executePlugin,
});
