import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { keyOf, keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import { type BackoffPolicy, backoffMs, FREE_ROUNDS } from "./backoff.ts";
import { nextStep, type Outcome } from "./outcome.ts";
import type { WorkQueue } from "./work-queue.ts";

/** Acting runs in a row after which somebody should know. */
const RESTLESS_ROUNDS = 20;

export interface FollowUpOptions {
  readonly queue: WorkQueue;
  readonly random: Random;
  readonly backoff: BackoffPolicy;
}

/** The one place where the outcome of a run reaches the queue and the log. */
export class FollowUp {
  readonly #options: FollowUpOptions;
  /** Runs in a row that acted without settling. */
  readonly #rounds = new Map<string, number>();
  /** Objects that ended Terminal, as they were then. */
  readonly #stalled = new Map<string, string>();

  constructor(options: FollowUpOptions) {
    this.#options = options;
  }

  /** True when the object ended Terminal and did not change since: looking at it again would change nothing. */
  isStalled(object: TownObject): boolean {
    return this.#stalled.size > 0 && this.#stalled.get(keyText(keyOf(object))) === versionOf(object);
  }

  gone(key: ObjectKey): void {
    this.#rounds.delete(keyText(key));
    this.#stalled.delete(keyText(key));
    this.#options.queue.forget(key);
  }

  /** `object`: as it was when the run began. */
  after(key: ObjectKey, object: TownObject | undefined, outcome: Outcome, log: Log): void {
    const id = keyText(key);
    const { queue } = this.#options;
    const { failure } = outcome;
    this.#stalled.delete(id);
    if (failure?.kind === "Terminal" && object !== undefined) this.#stalled.set(id, versionOf(object));
    const step = nextStep(outcome);
    if (step.do !== "Again") this.#rounds.delete(id);
    if (step.do === "Wait") queue.addAfter(key, step.ms);
    if (step.do === "BackOff") {
      tellRetry(outcome, log, queue.retry(key));
      return;
    }
    if (step.do !== "Wait") queue.forget(key);
    if (step.do === "Later") queue.addAfter(key, step.ms);
    if (step.do === "Again") this.#again(key, log);
    if (failure === undefined) log.debug({ acted: outcome.acted, next: step }, "reconciled");
    else if (failure.kind === "Waiting") log.debug({ reason: failure.reason, next: step }, "waiting");
    else log.error({ err: failure.error, reason: failure.reason }, "stalled until the object changes");
  }

  /** Another look at what the actions did; a loop that acts on and on is slowed down. */
  #again(key: ObjectKey, log: Log): void {
    const { queue, backoff, random } = this.#options;
    const rounds = (this.#rounds.get(keyText(key)) ?? 0) + 1;
    this.#rounds.set(keyText(key), rounds);
    if (rounds === RESTLESS_ROUNDS) log.warn({ rounds }, "acts again and again without settling");
    if (rounds <= FREE_ROUNDS) queue.add(key);
    else queue.addAfter(key, backoffMs(backoff, rounds - FREE_ROUNDS, random.float()));
  }
}

function tellRetry({ failure }: Outcome, log: Log, retryInMs: number): void {
  const fields = { err: failure?.error, reason: failure?.reason, retryInMs: Math.round(retryInMs) };
  if (failure?.kind === "Conflict") log.debug(fields, "somebody else wrote first, will be retried");
  else log.warn(fields, "reconcile failed, will be retried");
}

function versionOf({ metadata }: TownObject): string {
  return `${metadata.uid} ${metadata.generation}`;
}
