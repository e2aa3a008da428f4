import type { WatchEvent } from "../ports/objects.ts";
import type { RunnableController } from "../resource/controller.ts";
import { keyOf, keyText, type ObjectKey, type TownObject } from "../resource/object-meta.ts";
import type { EnginePorts } from "./engine-ports.ts";

/** What a change means for one loop. */
export interface RouteTarget<P extends EnginePorts> {
  readonly controller: RunnableController<P>;
  /** An object of the loop's own kind changed or is new. */
  ownChanged(event: WatchEvent): void;
  /** An object of the loop's own kind is gone. */
  ownGone(key: ObjectKey): void;
  wake(key: ObjectKey): void;
  wakeAll(): void;
}

type Route = (event: WatchEvent) => void;

/**
 * The table that turns a changed object into calls on loops, by kind. A `Map` function that throws is logged and takes
 * nothing else down; resync covers what it missed.
 */
export function watchRoutes<P extends EnginePorts>(
  targets: readonly RouteTarget<P>[],
  ports: P,
): (event: WatchEvent) => void {
  const routes = new Map<string, Route[]>();
  const on = (kind: string, route: Route): void => {
    routes.set(kind, [...(routes.get(kind) ?? []), route]);
  };
  for (const target of targets) {
    const { controller } = target;
    on(controller.kind, (event) =>
      event.type === "DELETED" ? target.ownGone(keyOf(event.object)) : target.ownChanged(event),
    );
    for (const watch of controller.watches) {
      if (watch.by === "All")
        on(
          watch.kind,
          whenAspectChanges(watch.aspect, () => target.wakeAll()),
        );
      else if (watch.by === "Owner") on(watch.kind, (event) => wakeOwner(target, event, ports));
      else on(watch.kind, (event) => watch.keys(event.object, ports).forEach((key) => target.wake(key)));
    }
  }
  return (event) => {
    if (event.type === "BOOKMARK") return;
    for (const route of routes.get(event.object.kind) ?? []) {
      try {
        route(event);
      } catch (error) {
        ports.log.error(
          { err: error, kind: event.object.kind, name: event.object.metadata.name },
          "a watch failed on a change",
        );
      }
    }
  };
}

function whenAspectChanges(aspect: ((changed: TownObject) => string) | undefined, wake: () => void): Route {
  if (aspect === undefined) return wake;
  const seen = new Map<string, string>();
  return ({ type, object }) => {
    const id = keyText(keyOf(object));
    const now = type === "DELETED" ? undefined : aspect(object);
    const same = now !== undefined && seen.get(id) === now;
    if (now === undefined) seen.delete(id);
    else seen.set(id, now);
    if (!same) wake();
  };
}

/** The owner is in the same namespace or, for cluster-scoped kinds, in none. */
function wakeOwner<P extends EnginePorts>(target: RouteTarget<P>, event: WatchEvent, ports: P): void {
  const { kind } = target.controller;
  const { metadata } = event.object;
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true && reference.kind === kind);
  if (owner === undefined) return;
  const clusterWide: ObjectKey = { kind, name: owner.name };
  const inNamespace: ObjectKey =
    metadata.namespace === undefined ? clusterWide : { kind, namespace: metadata.namespace, name: owner.name };
  target.wake(ports.objects.get(inNamespace) === undefined ? clusterWide : inNamespace);
}
