import type { LoopPorts } from "../../../ports/loop-ports.ts";
import { runnable } from "../../../resource/controller.ts";
import { executeUsage } from "./usage.execute.ts";
import { observeUsage, type UsageAgent, type UsageObserved } from "./usage.observe.ts";
import { planUsage, type UsageAction } from "./usage.plan.ts";

/** Keeps the sums of what agents' programs used, from the programs' own records. */
export const usage = runnable<UsageObserved, UsageAction, LoopPorts, UsageAgent>({
  name: "usage",
  kind: "Agent",
  watches: [
    {
      kind: "Session",
      by: "Map",
      keys: (changed) => [
        { kind: "Agent", namespace: changed.metadata.namespace ?? "hq", name: changed.metadata.name },
      ],
    },
  ],
  resyncMs: 10 * 60_000,
  ownedConditions: [],
  observe: observeUsage,
  plan: planUsage,
  execute: executeUsage,
});
