import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import { observeProvider, type ProgramSight, type ProviderObject } from "./provider.observe.ts";
import { planProvider, TESTED } from "./provider.plan.ts";

/** Says of each provider whether its program is there, and of which version. */
export const providers = runnable<ProgramSight, never, LoopPorts, ProviderObject>({
  name: "providers",
  kind: "Provider",
  watches: [],
  resyncMs: 600_000,
  ownedConditions: ["Ready", TESTED],
  observe: observeProvider,
  plan: planProvider,
  execute: () => Promise.resolve(),
});
