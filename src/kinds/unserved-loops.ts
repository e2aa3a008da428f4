import type { LoopPorts } from "../ports/loop-ports.ts";
import { READY } from "../resource/condition.ts";
import { type RunnableController, runnable } from "../resource/controller.ts";

/** A kind that is accepted and checked but whose loop does not exist yet: its status says so, so that nobody waits for it. */
function unserved(name: string, kind: string, what: string): RunnableController<LoopPorts> {
  return runnable<undefined, never, LoopPorts, never>({
    name,
    kind,
    watches: [],
    resyncMs: 3_600_000,
    ownedConditions: [READY],
    observe: () => Promise.resolve(undefined),
    plan: () => ({
      actions: [],
      conditions: [
        {
          type: READY,
          status: "False",
          reason: "NotServed",
          message: `this version keeps and checks ${kind} objects, but ${what}`,
        },
      ],
    }),
    execute: () => Promise.resolve(),
  });
}

export const UNSERVED: readonly RunnableController<LoopPorts>[] = [
  unserved("patrols", "Patrol", "makes no rounds yet"),
];
