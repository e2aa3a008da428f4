import type { LoopPorts } from "../../../ports/loop-ports.ts";
import type { SetUpPlace } from "../sandbox-setup.ts";

/** Where a sandbox in reserve is, and under what name its set-up is recorded: one that no agent can have. */
export function reservePlace(
  namespace: string,
  number: number,
  { layout }: Pick<LoopPorts, "layout">,
): SetUpPlace & { readonly path: string } {
  return {
    path: `${layout.reserve(namespace)}/${number}`,
    namespace,
    agent: `_reserve-${number}`,
    about: { kind: "Rig", name: namespace },
  };
}
