import { describe, expect, it } from "vitest";
import { ownerReferenceTo, type TownObject } from "../../src/resource/object-meta.ts";
import type { Store } from "../../src/store/store.ts";
import { aStore, choreKey, declared, sessionKey, widgetKey } from "./a-store.ts";

/** `child` belongs to the parents, by their present uid. */
async function owned(store: Store, child: string, ...parents: readonly TownObject[]): Promise<void> {
  await declared(store, child);
  await store.setMetadata(widgetKey(child), { ownerReferences: parents.map((parent) => ownerReferenceTo(parent)) });
}

const turn = () => new Promise((done) => setImmediate(done));
const names = (store: Store): readonly string[] => store.list("Widget").map(({ metadata }) => metadata.name);

describe("garbage collection", () => {
  it("given a dependent, when its last owner goes, then it goes, and so do its own dependents", async () => {
    const store = await aStore();
    store.startCollection();
    const [a, b] = [await declared(store, "a"), await declared(store, "b")];
    await owned(store, "both", a, b);
    await owned(store, "below", store.get(widgetKey("both")) as TownObject);
    await store.withdraw(widgetKey("a"));
    await turn();
    expect(names(store)).toEqual(["b", "below", "both"]);
    expect(store.get(widgetKey("both"))?.metadata.ownerReferences).toHaveLength(1);
    await store.withdraw(widgetKey("b"));
    await turn();
    expect(names(store)).toEqual([]);
  });

  it("given collection that was not started, when an owner goes, then nothing is collected until it is started", async () => {
    const store = await aStore();
    await owned(store, "child", await declared(store, "a"));
    await store.withdraw(widgetKey("a"));
    await store.collect();
    await store.collect();
    expect(names(store)).toEqual(["child"]);
    store.startCollection();
    await turn();
    expect(names(store)).toEqual([]);
  });

  it("given an owner that exists under another uid, when the dependent is looked at, then it is adopted", async () => {
    const store = await aStore();
    await owned(store, "child", await declared(store, "a"));
    await store.withdraw(widgetKey("a"));
    const next = await declared(store, "a");
    store.startCollection();
    await turn();
    expect(names(store)).toEqual(["a", "child"]);
    expect(store.get(widgetKey("child"))?.metadata.ownerReferences?.[0]?.uid).toBe(next.metadata.uid);
  });

  it("given an owner that was never seen, when scanned, then only the second scan in a row collects", async () => {
    const store = await aStore();
    store.startCollection();
    const ghost = {
      ...(await declared(store, "x")),
      metadata: { ...store.get(widgetKey("x"))!.metadata, name: "ghost", uid: "ghost" },
    };
    await owned(store, "child", ghost);
    await store.collect();
    expect(names(store)).toEqual(["child", "x"]);
    await store.collect();
    expect(names(store)).toEqual(["x"]);
  });

  it("given foreground deletion, when dependents hold on, then the owner waits for those that block", async () => {
    const store = await aStore();
    store.startCollection();
    const a = await declared(store, "a");
    await owned(store, "child", a);
    await store.setFinalizer(widgetKey("child"), "town.dev/slow", true);
    await store.setFinalizer(widgetKey("a"), "foregroundDeletion", true);
    await store.withdraw(widgetKey("a"));
    await turn();
    expect(store.get(widgetKey("child"))?.metadata.deletionTimestamp).toBeDefined();
    expect(names(store)).toEqual(["a", "child"]);
    await store.setFinalizer(widgetKey("child"), "town.dev/slow", false);
    await turn();
    expect(names(store)).toEqual([]);
  });

  it("given foreground deletion without dependents, when asked, then the object goes", async () => {
    const store = await aStore();
    store.startCollection();
    await declared(store, "a");
    await store.setFinalizer(widgetKey("a"), "foregroundDeletion", true);
    await store.withdraw(widgetKey("a"));
    await turn();
    expect(names(store)).toEqual([]);
  });

  it("given orphan deletion, when the owner goes, then dependents live on, however often their projector names it", async () => {
    const store = await aStore();
    store.startCollection();
    const a = await declared(store, "a");
    await owned(store, "child", a);
    const stated = { spec: { title: "t" }, uid: "u", ownerReferences: [ownerReferenceTo(a)] };
    await store.project(choreKey("c"), stated);
    await store.setFinalizer(widgetKey("a"), "orphan", true);
    await store.withdraw(widgetKey("a"));
    await turn();
    await store.project(choreKey("c"), { ...stated, labels: { seen: "again" } });
    await store.collect();
    await store.collect();
    expect(names(store)).toEqual(["child"]);
    expect(store.get(widgetKey("child"))?.metadata.ownerReferences).toBeUndefined();
    expect(store.get(choreKey("c"))?.metadata.ownerReferences).toBeUndefined();
  });

  it("given an observed dependent, when its owner goes, then it is left to what is observed", async () => {
    const store = await aStore();
    store.startCollection();
    const a = await declared(store, "a");
    await store.publish(sessionKey("s"), { spec: {}, status: {}, ownerReferences: [ownerReferenceTo(a)] });
    await store.setFinalizer(widgetKey("a"), "foregroundDeletion", true);
    await store.withdraw(widgetKey("a"));
    await turn();
    expect(names(store)).toEqual([]);
    expect(store.list("Session")).toHaveLength(1);
  });

  it("given a truth that refuses, when a dependent should go, then it stays and carries an Event that says why", async () => {
    const store = await aStore({
      writers: () => ({ Work: { write: async () => Promise.reject(new Error("the branch is not merged")) } }),
    });
    store.startCollection();
    const a = await declared(store, "a");
    await store.project(choreKey("c"), { spec: { title: "t" }, ownerReferences: [ownerReferenceTo(a)] });
    await store.withdraw(widgetKey("a"));
    await turn();
    expect(store.list("Chore")).toHaveLength(1);
    expect(store.list("Event")).toMatchObject([
      {
        reason: "DependentNotCollected",
        involvedObject: { kind: "Chore", name: "c" },
        message: expect.stringContaining("the branch is not merged"),
      },
    ]);
  });
});
