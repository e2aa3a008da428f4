import { describe, expect, it } from "vitest";
import { keyOf, keyText, type ObjectKey, type TownObject } from "../../src/resource/object-meta.ts";
import { OwnerIndex } from "../../src/store/owner-index.ts";
import { fc, fuzzRuns } from "../property.ts";

function object(name: string, ...owners: readonly string[]): TownObject {
  const ownerReferences = owners.map((uid) => ({ apiVersion: "v1", kind: "Widget", name: uid, uid }));
  const metadata = { name, uid: name, resourceVersion: "1", generation: 1, creationTimestamp: "" };
  return { apiVersion: "v1", kind: "Widget", metadata: { ...metadata, ownerReferences }, spec: {} };
}

const texts = (keys: readonly ObjectKey[]): readonly string[] => keys.map(keyText).sort();
const UIDS = ["a", "b", "c", "d"] as const;

describe("the index of owners", () => {
  it("given objects that come, change owners and go, when asked, then it tells who owns whom now", () => {
    const step = fc.record({
      name: fc.constantFrom(...UIDS),
      owners: fc.option(fc.uniqueArray(fc.constantFrom(...UIDS)), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const index = new OwnerIndex();
        const now = new Map<string, TownObject>();
        for (const { name, owners } of steps) {
          const next = owners === undefined ? undefined : object(name, ...owners);
          index.swap(now.get(name), next);
          if (next === undefined) now.delete(name);
          else now.set(name, next);
        }
        const ownedBy = (uid: string) =>
          [...now.values()].filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
        for (const uid of UIDS) {
          expect(texts(index.dependentsOf(uid))).toEqual(texts(ownedBy(uid).map(keyOf)));
          expect(index.keyOf(uid)).toEqual(now.has(uid) ? { kind: "Widget", name: uid } : undefined);
        }
        const missing = UIDS.filter((uid) => !now.has(uid) && ownedBy(uid).length > 0);
        expect([...index.missingOwners()].sort()).toEqual(missing);
      }),
      { numRuns: fuzzRuns(200) },
    );
  });
});
