import type { LoopPorts } from "../ports/loop-ports.ts";
import type { RunnableController } from "../resource/controller.ts";

/** Longer than any simulated run. */
const NEVER_MS = 1_000 * 24 * 3_600_000;

/**
 * Controllers that are woken by what happens and by what their plans ask for alone: the resync is there for what nobody
 * tells of, and hides here every wake-up that was forgotten.
 */
export function unsynced(controllers: readonly RunnableController<LoopPorts>[]): RunnableController<LoopPorts>[] {
  return controllers.map((controller) => ({ ...controller, resyncMs: NEVER_MS }));
}
