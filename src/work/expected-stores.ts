import type { Objects } from "../ports/objects.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { type RigPlace, rigPrefix } from "./rig-target.ts";

/** What this needs of the stores. */
interface Expecting {
  expect(namespace: string, prefix: string): void;
  forget(namespace: string): void;
}

/**
 * Until the store of a declared rig is open, what waits for its beads waits: when a town starts, its stores open one after
 * the other, and none may take another's open bead for one that does not exist. Once a rig is gone nothing waits for it.
 * Call it before the first store is opened; returns what ends it.
 */
export function expectStores(objects: Pick<Objects, "list" | "subscribe">, stores: Expecting): () => void {
  const expect = ({ metadata, spec }: TownObject): void =>
    stores.expect(metadata.name, rigPrefix(metadata.name, spec as RigPlace));
  for (const rig of objects.list("Rig")) expect(rig);
  return objects.subscribe(({ type, object }) => {
    if (object.kind !== "Rig") return;
    if (type === "ADDED") expect(object);
    else if (type === "DELETED") stores.forget(object.metadata.name);
  });
}
