import type { ObjectStore } from "../ports/object-store.ts";
import { BUILTIN_SOURCE, TOWN_SOURCE } from "../resource/desired-origin.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { keyOf, type ObjectKey } from "../resource/object-meta.ts";

/** Objects that other sources than this one declare. */
export function declaredElsewhere(
  store: ObjectStore,
  kinds: readonly KindDefinition[],
  source: string,
): readonly ObjectKey[] {
  return kinds
    .filter(({ truth }) => truth === "Desired")
    .flatMap(({ kind }) => store.list(kind).map(keyOf))
    .filter((key) => {
      const origin = store.originOf(key);
      return origin !== undefined && origin.source !== source;
    });
}

/**
 * Who keeps a source from declaring an object: another source that exists and has it. What comes with the program gives
 * way; so does what a Source left that is gone.
 */
export function takenBy(store: ObjectStore, key: ObjectKey, source: string): string | undefined {
  const owner = store.originOf(key)?.source;
  if (owner === undefined || owner === source || owner === BUILTIN_SOURCE) return undefined;
  if (owner === TOWN_SOURCE) return "the town's own manifests";
  return store.get({ kind: "Source", name: owner }) === undefined ? undefined : `source ${owner}`;
}
