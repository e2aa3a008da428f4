import type { Clock } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import { keyText, type ObjectKey } from "../resource/object-meta.ts";
import { type BackoffPolicy, backoffMs, RETRY_BACKOFF } from "./backoff.ts";
import { Heap } from "./heap.ts";

/** Higher goes first. */
export const PRIORITY = { resync: 0, change: 10, poke: 20 } as const;

export interface Taken {
  readonly key: ObjectKey;
  /** How long it was ready before it was taken, ms. */
  readonly waitedMs: number;
}

interface Entry {
  readonly id: string;
  readonly key: ObjectKey;
  ready: ReadyItem | undefined;
  delayed: DelayedItem | undefined;
  processing: boolean;
  /** Priority of an add that came while the key was being worked. */
  dirty: number | undefined;
  failures: number;
}

interface ReadyItem {
  readonly entry: Entry;
  readonly priority: number;
  readonly order: number;
  readonly sinceMs: number;
}

interface DelayedItem {
  readonly entry: Entry;
  readonly atMs: number;
  readonly order: number;
  readonly priority: number;
}

/** The heap of delays is cleaned when more than this many of its items, and half of it, are cancelled. */
const MAX_STALE = 1_000;

export interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Told when a key becomes ready. May be called often; it must not take keys at once. */
  readonly ready: () => void;
  /** Default RETRY_BACKOFF. */
  readonly backoff?: BackoffPolicy;
}

/**
 * Keys that want to be looked at, each once.
 *
 * Guarantees: a key is never taken again before `done`; an add while it is worked makes it ready again at `done`; no add
 * is lost; of several delays the earliest counts; taking a key cancels a delay set before, since the run decides anew.
 * Ready keys leave by priority, then by arrival. While nothing is delayed no timer runs; else one.
 */
export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ready: () => void;
  readonly #backoff: BackoffPolicy;
  readonly #entries = new Map<string, Entry>();
  readonly #readyItems = new Heap<ReadyItem>(
    (a, b) => a.priority > b.priority || (a.priority === b.priority && a.order < b.order),
  );
  readonly #delayedItems = new Heap<DelayedItem>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order));
  #order = 0;
  #depth = 0;
  #processing = 0;
  /** Cancelled items that are still in the heap. */
  #stale = 0;
  #alarm: { readonly atMs: number; readonly off: AbortController } | undefined;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#ready = options.ready;
    this.#backoff = options.backoff ?? RETRY_BACKOFF;
  }

  /** Keys ready to be taken. */
  get depth(): number {
    return this.#depth;
  }

  /** Keys being worked. */
  get processing(): number {
    return this.#processing;
  }

  /** Keys known in any way: ready, delayed, being worked, or with failures on record. */
  get known(): number {
    return this.#entries.size;
  }

  /** Size of the heap of delays, cancelled ones included. */
  get delayedItems(): number {
    return this.#delayedItems.size;
  }

  add(key: ObjectKey, priority: number = PRIORITY.change): void {
    if (!this.#closed) this.#makeReady(this.#entry(key), priority);
  }

  /** Makes the key ready after `ms`; an earlier delay stays. */
  addAfter(key: ObjectKey, ms: number, priority: number = PRIORITY.change): void {
    if (this.#closed) return;
    const entry = this.#entry(key);
    const atMs = this.#clock.monotonicMs() + Math.max(0, ms);
    if (entry.delayed !== undefined && entry.delayed.atMs <= atMs) return;
    this.#cancelDelay(entry);
    entry.delayed = { entry, atMs, order: this.#order++, priority };
    this.#delayedItems.push(entry.delayed);
    this.#setAlarm();
  }

  /** As `addAfter` with the key's back-off; counts a failure. Returns the wait in ms. */
  retry(key: ObjectKey): number {
    const entry = this.#entry(key);
    entry.failures += 1;
    const ms = backoffMs(this.#backoff, entry.failures, this.#random.float());
    this.addAfter(key, ms);
    return ms;
  }

  failures(key: ObjectKey): number {
    return this.#entries.get(keyText(key))?.failures ?? 0;
  }

  /** The key's failures no longer count. */
  forget(key: ObjectKey): void {
    const entry = this.#entries.get(keyText(key));
    if (entry === undefined) return;
    entry.failures = 0;
    this.#dropIfUnused(entry);
  }

  take(): Taken | undefined {
    for (;;) {
      const item = this.#readyItems.pop();
      if (item === undefined) return undefined;
      const { entry } = item;
      if (entry.ready !== item) continue;
      entry.ready = undefined;
      this.#cancelDelay(entry);
      entry.processing = true;
      this.#depth -= 1;
      this.#processing += 1;
      return { key: entry.key, waitedMs: this.#clock.monotonicMs() - item.sinceMs };
    }
  }

  /** The key is no longer being worked. Call after `retry`, `addAfter` or `forget`. */
  done(key: ObjectKey): void {
    const entry = this.#entries.get(keyText(key));
    if (entry === undefined || !entry.processing) return;
    entry.processing = false;
    this.#processing -= 1;
    const { dirty } = entry;
    entry.dirty = undefined;
    if (dirty !== undefined && !this.#closed) this.#makeReady(entry, dirty);
    else this.#dropIfUnused(entry);
  }

  /** Nothing becomes ready any more; what is ready is dropped. */
  close(): void {
    this.#closed = true;
    this.#alarm?.off.abort();
    this.#readyItems.clear();
    this.#delayedItems.clear();
    this.#depth = 0;
  }

  #entry(key: ObjectKey): Entry {
    const id = keyText(key);
    let entry = this.#entries.get(id);
    if (entry === undefined) {
      entry = { id, key, ready: undefined, delayed: undefined, processing: false, dirty: undefined, failures: 0 };
      this.#entries.set(id, entry);
    }
    return entry;
  }

  #makeReady(entry: Entry, priority: number): void {
    if (entry.processing) {
      entry.dirty = Math.max(priority, entry.dirty ?? priority);
      return;
    }
    const former = entry.ready;
    if (former !== undefined && former.priority >= priority) return;
    // A raised priority leaves the former item behind in the heap; `take` passes over it.
    entry.ready = {
      entry,
      priority,
      order: former?.order ?? this.#order++,
      sinceMs: former?.sinceMs ?? this.#clock.monotonicMs(),
    };
    this.#readyItems.push(entry.ready);
    if (former === undefined) this.#depth += 1;
    this.#ready();
  }

  #dropIfUnused(entry: Entry): void {
    if (entry.ready === undefined && entry.delayed === undefined && !entry.processing && entry.failures === 0)
      this.#entries.delete(entry.id);
  }

  #cancelDelay(entry: Entry): void {
    if (entry.delayed === undefined) return;
    entry.delayed = undefined;
    this.#stale += 1;
    if (this.#stale <= MAX_STALE || this.#stale * 2 <= this.#delayedItems.size) return;
    this.#delayedItems.retain((item) => item.entry.delayed === item);
    this.#stale = 0;
  }

  #nextDelayed(): DelayedItem | undefined {
    for (;;) {
      const item = this.#delayedItems.peek();
      if (item === undefined || item.entry.delayed === item) return item;
      this.#delayedItems.pop();
      this.#stale -= 1;
    }
  }

  #setAlarm(): void {
    const next = this.#nextDelayed();
    if (next === undefined || this.#closed || (this.#alarm !== undefined && this.#alarm.atMs <= next.atMs)) return;
    this.#alarm?.off.abort();
    const alarm = { atMs: next.atMs, off: new AbortController() };
    this.#alarm = alarm;
    void this.#clock.sleep(next.atMs - this.#clock.monotonicMs(), alarm.off.signal).then(() => {
      if (this.#alarm !== alarm || this.#closed) return;
      this.#alarm = undefined;
      this.#releaseDue();
      this.#setAlarm();
    });
  }

  #releaseDue(): void {
    // Timers may fire a fraction of a millisecond early.
    const now = this.#clock.monotonicMs() + 1;
    for (let item = this.#nextDelayed(); item !== undefined && item.atMs <= now; item = this.#nextDelayed()) {
      this.#delayedItems.pop();
      item.entry.delayed = undefined;
      this.#makeReady(item.entry, item.priority);
    }
  }
}
