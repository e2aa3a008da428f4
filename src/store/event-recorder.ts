import type { Clock } from "../ports/clock.ts";
import type { PlannedEvent } from "../resource/controller.ts";
import { timestamp } from "../resource/condition.ts";
import { keyText, type ObjectKey, type ObjectMeta, type TownObject } from "../resource/object-meta.ts";
import { fingerprint } from "./fingerprint.ts";

/** core/v1 Event, as far as `kubectl describe` and `kubectl events` read it. It has neither spec nor status. */
export interface KubeEvent {
  readonly apiVersion: "v1";
  readonly kind: "Event";
  readonly metadata: ObjectMeta;
  readonly involvedObject: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
  };
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
  readonly count: number;
  readonly source: { readonly component: string };
  readonly reportingComponent: string;
}

export const EVENT_KIND = "Event";
/** Events about cluster-scoped objects are kept here, as Kubernetes does. */
const CLUSTER_EVENTS_NAMESPACE = "default";
export const EVENT_TTL_MS = 60 * 60 * 1000;
const MAX_MESSAGE = 1_024;
const MAX_EVENTS = 5_000;
const MAX_EVENTS_PER_OBJECT = 50;

export interface EventShelf {
  readonly clock: Clock;
  get(key: ObjectKey): TownObject | undefined;
  apiVersionOf(kind: string): string;
  newUid(): string;
  nextVersion(): string;
  put(event: KubeEvent): void;
  drop(key: ObjectKey): void;
}

/**
 * Kubernetes Events: the same reason and message about the same object counts up instead of piling up. Kept for an hour
 * after their last occurrence, at most 50 per object and 5,000 in all; the oldest go first.
 */
export class EventRecorder {
  readonly #shelf: EventShelf;
  /** By last occurrence, oldest first: a repeated one is moved to the end. */
  readonly #events = new Map<string, { readonly key: ObjectKey; readonly lastMs: number; readonly about: string }>();
  readonly #perObject = new Map<string, number>();

  constructor(shelf: EventShelf) {
    this.#shelf = shelf;
  }

  record(about: ObjectKey & { readonly uid?: string }, event: PlannedEvent & { readonly actor?: string }): void {
    this.sweep();
    const now = this.#shelf.clock.now();
    const involved = this.#involved(about);
    const component = event.actor ?? "town";
    const id = fingerprint([keyText(about), involved.uid, event.type, event.reason, event.message, component]);
    const key: ObjectKey = {
      kind: EVENT_KIND,
      namespace: about.namespace ?? CLUSTER_EVENTS_NAMESPACE,
      name: `${about.name.slice(0, 200)}.${id}`,
    };
    const former = this.#shelf.get(key) as unknown as KubeEvent | undefined;
    const { type, reason, message } = event;
    this.#shelf.put({
      apiVersion: "v1",
      kind: EVENT_KIND,
      metadata: this.#metadata(key, former?.metadata, now),
      involvedObject: involved,
      type,
      reason,
      message: message.slice(0, MAX_MESSAGE),
      firstTimestamp: former?.firstTimestamp ?? timestamp(now),
      lastTimestamp: timestamp(now),
      count: (former?.count ?? 0) + 1,
      source: { component },
      reportingComponent: component,
    });
    this.#remember(key, now, keyText(about));
  }

  /** An event from a former run, oldest first. Expired ones are dropped by the next sweep. */
  restore(event: KubeEvent): void {
    const { kind, name, namespace } = event.involvedObject;
    const key: ObjectKey = {
      kind: EVENT_KIND,
      namespace: event.metadata.namespace ?? CLUSTER_EVENTS_NAMESPACE,
      name: event.metadata.name,
    };
    this.#remember(
      key,
      Date.parse(event.lastTimestamp),
      keyText(namespace === undefined ? { kind, name } : { kind, name, namespace }),
    );
  }

  /** Drops what is older than the TTL or beyond the cap. */
  sweep(): void {
    const oldest = this.#shelf.clock.now() - EVENT_TTL_MS;
    for (const [id, { key, lastMs, about }] of this.#events) {
      if (lastMs > oldest && this.#events.size < MAX_EVENTS) return;
      this.#forget(id, key, about);
    }
  }

  #involved({ kind, name, namespace, uid }: ObjectKey & { readonly uid?: string }): KubeEvent["involvedObject"] {
    const object = this.#shelf.get(namespace === undefined ? { kind, name } : { kind, name, namespace });
    const known = uid ?? object?.metadata.uid;
    return {
      apiVersion: object?.apiVersion ?? this.#shelf.apiVersionOf(kind),
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(known === undefined ? {} : { uid: known }),
    };
  }

  #metadata({ name, namespace }: ObjectKey, former: ObjectMeta | undefined, now: number): ObjectMeta {
    return {
      name,
      namespace: namespace ?? "",
      uid: former?.uid ?? this.#shelf.newUid(),
      resourceVersion: this.#shelf.nextVersion(),
      generation: 1,
      creationTimestamp: former?.creationTimestamp ?? timestamp(now),
    };
  }

  #remember(key: ObjectKey, lastMs: number, about: string): void {
    const id = keyText(key);
    if (!this.#events.delete(id)) this.#perObject.set(about, (this.#perObject.get(about) ?? 0) + 1);
    this.#events.set(id, { key, lastMs, about });
    if ((this.#perObject.get(about) ?? 0) <= MAX_EVENTS_PER_OBJECT) return;
    for (const [other, kept] of this.#events) {
      if (kept.about !== about) continue;
      this.#forget(other, kept.key, about);
      return;
    }
  }

  #forget(id: string, key: ObjectKey, about: string): void {
    this.#events.delete(id);
    const left = (this.#perObject.get(about) ?? 1) - 1;
    if (left === 0) this.#perObject.delete(about);
    else this.#perObject.set(about, left);
    this.#shelf.drop(key);
  }
}
