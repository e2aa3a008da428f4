import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Objects } from "../ports/objects.ts";
import type { Sessions } from "../ports/sessions.ts";
import { statusTexts } from "./status-texts.ts";

const KINDS: ReadonlySet<string> = new Set(["Town", "Agent", "Session", "Convoy", "MergeRequest"]);
/** Changes come in bursts; nobody reads faster. */
const GAP_MS = 1_000;

/** Keeps what an attached person reads in line with the objects, until aborted. Sleeps while none of them changes. */
export async function displayStatus(at: {
  readonly clock: Clock;
  readonly objects: Objects;
  readonly sessions: Sessions;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, objects, sessions, log, signal } = at;
  let changed = true;
  let wake: () => void = () => {};
  const unsubscribe = objects.subscribe(({ object }) => {
    if (!KINDS.has(object.kind)) return;
    changed = true;
    wake();
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    while (!signal.aborted) {
      if (changed) {
        changed = false;
        const { town, sessions: each } = statusTexts(objectsOf(objects));
        // The next change, or the one after, is shown when the runtime answers again.
        await sessions.showStatus(town, each).catch((err: unknown) => log.debug({ err }, "cannot show the status"));
        await clock.sleep(GAP_MS, signal);
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    unsubscribe();
  }
}

function objectsOf(objects: Objects) {
  const town = objects.get({ kind: "Town", name: "hq" });
  return {
    sessions: objects.list("Session"),
    agents: objects.list("Agent"),
    convoys: objects.list("Convoy"),
    mergeRequests: objects.list("MergeRequest"),
    runtime: (town?.status as { readonly runtime?: string } | undefined)?.runtime,
  };
}
