import { AdapterError, messageOf } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import { durationMs } from "../../resource/field.ts";
import type { RigObject } from "./rig.schema.ts";

/** What a look at the source repository brought. */
export type FetchOutcome =
  | { readonly state: "NotDue"; readonly dueMs: number }
  | { readonly state: "Done" }
  /** The last one failed, and it is too early to try again. */
  | { readonly state: "Held"; readonly dueMs: number }
  /** What is there is not known; what was fetched before stays. */
  | { readonly state: "Failed"; readonly reason: string; readonly message: string };

/** Pokes of a person: `town reconcile rig NAME`. */
const REQUESTED = "runtime.town.dev/reconcile-requested-at";
/** After a failed fetch. */
export const FETCH_RETRY_MS = 30_000;
const FETCH_TIMEOUT_MS = 5 * 60_000;
/** A repository on this machine is watched, so this is only the safety net. */
const LOCAL_INTERVAL = "10m";
const REMOTE_INTERVAL = "1m";

export function fetchIntervalMs(spec: RigObject["spec"]): number {
  return durationMs(spec.fetchInterval ?? (spec.url === undefined ? LOCAL_INTERVAL : REMOTE_INTERVAL));
}

/** When the next fetch is due: at once after a poke or a new spec, soon after a failure, else after the interval. Pure. */
export function fetchDueMs(object: RigObject): number {
  const { status, spec, metadata } = object;
  const fetched = time(status?.fetchTime);
  const tried = time(status?.fetchAttemptTime);
  const requested = time(metadata.annotations?.[REQUESTED]);
  if (fetched === 0 && tried === 0) return 0;
  if (requested > Math.max(fetched, tried) || status?.observedGeneration !== metadata.generation) return 0;
  return tried > fetched ? tried + FETCH_RETRY_MS : fetched + fetchIntervalMs(spec);
}

function time(text: string | undefined): number {
  const ms = text === undefined ? 0 : Date.parse(text);
  return Number.isNaN(ms) ? 0 : ms;
}

/** A fetch, unless the one before failed a moment ago. */
export async function fetchWhenDue(object: RigObject, clone: Repository, now: number): Promise<FetchOutcome> {
  const dueMs = fetchDueMs(object);
  const failed = time(object.status?.fetchAttemptTime) > time(object.status?.fetchTime);
  return failed && now < dueMs ? { state: "Held", dueMs } : await fetchSource(clone);
}

/** Fetches every branch. A source that does not answer is reported, not thrown: nothing follows from it. */
async function fetchSource(clone: Repository): Promise<FetchOutcome> {
  try {
    await clone.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"], { prune: true, timeoutMs: FETCH_TIMEOUT_MS });
    return { state: "Done" };
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    return {
      state: "Failed",
      reason: error.reason,
      message: `${messageOf(error)}${error.hint === undefined ? "" : ` ${error.hint}`}`,
    };
  }
}
