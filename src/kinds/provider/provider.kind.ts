import type { LoopPorts } from "../../ports/loop-ports.ts";
import { runnable } from "../../resource/controller.ts";
import { liftHold } from "../../work/provider-hold.ts";
import { observeProvider, type ProviderObject, type ProviderObserved } from "./provider.observe.ts";
import { HELD, planProvider, type ProviderAction, TESTED } from "./provider.plan.ts";

/** Says of each provider whether its program is there, of which version, and whether new sessions wait. */
export const providers = runnable<ProviderObserved, ProviderAction, LoopPorts, ProviderObject>({
  name: "providers",
  kind: "Provider",
  watches: [],
  resyncMs: 600_000,
  ownedConditions: ["Ready", TESTED, HELD],
  observe: observeProvider,
  plan: planProvider,
  execute: (_action, object, ports) => liftHold(ports, object.metadata.name),
});
