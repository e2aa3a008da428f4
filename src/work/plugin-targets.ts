import type { LoopPorts } from "../ports/loop-ports.ts";
import type { DeclaredPlugin } from "./plugin-run.ts";

/** What a plugin is about: namespaces of rigs, or hq; or why it is about nothing. */
export interface PluginTargets {
  readonly namespaces: readonly string[];
  readonly problem: { readonly reason: string; readonly message: string } | undefined;
}

export function targetsOf({ spec, metadata }: DeclaredPlugin, ports: Pick<LoopPorts, "objects">): PluginTargets {
  const home = metadata.namespace ?? "hq";
  const scope = spec.scope ?? (home === "hq" ? "Town" : "Rig");
  if (scope === "Rig") {
    const rigs = ports.objects.list("Rig").map((rig) => rig.metadata.name);
    return { namespaces: home === "hq" ? rigs.toSorted() : [home], problem: undefined };
  }
  if (home === "hq") return { namespaces: ["hq"], problem: undefined };
  const message = "a plugin about the town belongs into namespace hq";
  return { namespaces: [], problem: { reason: "OutOfScope", message } };
}
