import { describe, expect, it } from "vitest";
import type { WatchEvent } from "../../src/ports/objects.ts";
import type { Store } from "../../src/store/store.ts";
import { aStore, choreKey, declared, keptLog, ORIGIN, sessionKey, widgetKey } from "./a-store.ts";
import { fc, fuzzRuns } from "../property.ts";

const summary = ({ type, object }: WatchEvent): string =>
  `${type} ${object.metadata.name} g${object.metadata.generation}`;

function recorded(store: Store): string[] {
  const events: string[] = [];
  store.subscribe((event) => events.push(summary(event)));
  return events;
}

describe("writes", () => {
  it("given a new object, when declared, then it has identity, generation 1 and is frozen", async () => {
    const store = await aStore();
    const object = await declared(store, "one", { role: "x", deep: { list: [1] } });
    expect(object).toMatchObject({
      apiVersion: "town.dev/v1alpha1",
      kind: "Widget",
      metadata: { name: "one", namespace: "api", generation: 1, creationTimestamp: "2026-01-01T00:00:00Z" },
    });
    expect(object.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(() => ((object.spec["deep"] as { list: number[] }).list[0] = 2)).toThrow(TypeError);
    expect(store.originOf(widgetKey("one"))).toEqual(ORIGIN);
  });

  it("given the same document again, when declared, then version and events do not move, whatever the order of keys", async () => {
    const store = await aStore();
    const first = await declared(store, "one", { role: "x", replicas: 1 });
    const events = recorded(store);
    expect(await declared(store, "one", { replicas: 1, role: "x" }, { origin: { ...ORIGIN, revision: "r2" } })).toBe(
      first,
    );
    expect(events).toEqual([]);
    expect(store.originOf(widgetKey("one"))?.revision).toBe("r2");
  });

  it("given an object, when spec, labels, status or finalizers change, then only spec raises generation", async () => {
    const store = await aStore();
    const generations: number[] = [];
    store.subscribe(({ object }) => generations.push(object.metadata.generation));
    await declared(store, "one", { role: "x" });
    await declared(store, "one", { role: "x" }, { labels: { a: "b" } });
    await store.patchStatus(widgetKey("one"), { note: "seen" });
    await store.setFinalizer(widgetKey("one"), "town.dev/x", true);
    await store.annotateRuntime(widgetKey("one"), { "runtime.town.dev/poke": "now" });
    await declared(store, "one", { role: "y" }, { labels: { a: "b" } });
    expect(generations).toEqual([1, 1, 1, 1, 1, 2]);
  });

  it("given status, when patched, then null removes, lists are replaced, and a patch of nothing changes nothing", async () => {
    const store = await aStore();
    await declared(store, "one");
    await store.patchStatus(widgetKey("one"), { note: "a", replicas: 1, conditions: [{ type: "Ready" }] });
    await store.patchStatus(widgetKey("one"), { note: null, conditions: [] });
    const object = store.get(widgetKey("one"));
    expect(object?.status).toEqual({ replicas: 1, conditions: [] });
    await store.patchStatus(widgetKey("one"), { replicas: 1 });
    expect(store.get(widgetKey("one"))).toBe(object);
    await store.patchStatus(widgetKey("absent"), { replicas: 1 });
  });

  it("given held annotations, when the document changes, then they stay, and others cannot be held", async () => {
    const store = await aStore();
    await declared(store, "one");
    await store.annotateRuntime(widgetKey("one"), {
      "runtime.town.dev/poke": "1",
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
    });
    await declared(
      store,
      "one",
      { role: "y" },
      { annotations: { mine: "1", "runtime.town.dev/poke": "from the file" } },
    );
    expect(store.get(widgetKey("one"))?.metadata.annotations).toEqual({
      mine: "1",
      "runtime.town.dev/poke": "1",
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
    });
    await store.annotateRuntime(widgetKey("one"), { "runtime.town.dev/poke": null });
    expect(store.get(widgetKey("one"))?.metadata.annotations).not.toHaveProperty(["runtime.town.dev/poke"]);
    await expect(store.annotateRuntime(widgetKey("one"), { mine: "2" })).rejects.toMatchObject({
      reason: "NotARuntimeAnnotation",
    });
  });

  it("given a kind of another truth or none, when written, then it is refused", async () => {
    const store = await aStore();
    await expect(store.declare(choreKey("x"), { spec: {}, origin: ORIGIN })).rejects.toMatchObject({
      reason: "WrongTruth",
    });
    await expect(store.project(widgetKey("x"), { spec: {} })).rejects.toMatchObject({ reason: "WrongTruth" });
    await expect(store.publish({ kind: "Nothing", name: "x" }, undefined)).rejects.toMatchObject({
      reason: "UnknownKind",
    });
  });
});

describe("work and observed objects", () => {
  it("given status from projector and loop, when either changes, then both are seen and the loop's wins", async () => {
    const store = await aStore();
    await store.project(choreKey("c"), { spec: { title: "t" }, status: { done: false, stage: "a" }, uid: "u1" });
    await store.patchStatus(choreKey("c"), { conditions: [{ type: "Ready" }], stage: "mine" });
    await store.project(choreKey("c"), { spec: { title: "t" }, status: { done: true, stage: "b" }, uid: "u1" });
    expect(store.get(choreKey("c"))?.status).toEqual({ done: true, stage: "mine", conditions: [{ type: "Ready" }] });
    await store.patchStatus(choreKey("c"), { stage: null });
    expect(store.get(choreKey("c"))?.status).not.toHaveProperty("stage");
  });

  it("given a record born again under another uid, when projected, then it is a new object", async () => {
    const store = await aStore();
    await store.project(choreKey("c"), { spec: { title: "t" }, uid: "u1" });
    const events = recorded(store);
    await store.project(choreKey("c"), { spec: { title: "t" }, uid: "u2" });
    expect(events).toEqual(["DELETED c g1", "ADDED c g1"]);
    expect(store.get(choreKey("c"))?.metadata.uid).toBe("u2");
  });

  it("given an observed object, when published and withdrawn, then it comes and goes", async () => {
    const store = await aStore();
    const events = recorded(store);
    await store.publish(sessionKey("s"), { spec: {}, status: { a: 1 } });
    await store.publish(sessionKey("s"), { spec: {}, status: { a: 1 } });
    await store.publish(sessionKey("s"), { spec: {}, status: { a: 2 } });
    await store.publish(sessionKey("s"), undefined);
    expect(events).toEqual(["ADDED s g1", "MODIFIED s g1", "DELETED s g1"]);
  });
});

describe("deletion", () => {
  it("given finalizers, when withdrawn, then it stays until the last is gone", async () => {
    const store = await aStore();
    await declared(store, "one");
    await store.setFinalizer(widgetKey("one"), "town.dev/a", true);
    const events = recorded(store);
    await store.withdraw(widgetKey("one"));
    await store.withdraw(widgetKey("one"));
    expect(store.get(widgetKey("one"))?.metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:00Z",
      deletionGracePeriodSeconds: 0,
      generation: 2,
    });
    await store.setFinalizer(widgetKey("one"), "town.dev/a", false);
    expect(store.get(widgetKey("one"))).toBeUndefined();
    expect(events).toEqual(["MODIFIED one g2", "DELETED one g2"]);
  });

  it("given an object in deletion, when its document returns, then a new object follows it", async () => {
    const store = await aStore();
    const former = await declared(store, "one");
    await store.setFinalizer(widgetKey("one"), "town.dev/a", true);
    await store.withdraw(widgetKey("one"));
    await declared(store, "one", { role: "again" });
    expect(store.get(widgetKey("one"))?.metadata.uid).toBe(former.metadata.uid);
    await store.setFinalizer(widgetKey("one"), "town.dev/a", false);
    const next = store.get(widgetKey("one"));
    expect(next?.spec).toEqual({ role: "again" });
    expect(next?.metadata.uid).not.toBe(former.metadata.uid);
    expect(next?.metadata.generation).toBe(1);
  });

  it("given a returning document that goes again, when the finalizers end, then nothing follows", async () => {
    const store = await aStore();
    await declared(store, "one");
    await store.setFinalizer(widgetKey("one"), "town.dev/a", true);
    await store.withdraw(widgetKey("one"));
    await declared(store, "one", { role: "again" });
    await store.withdraw(widgetKey("one"));
    await store.setFinalizer(widgetKey("one"), "town.dev/a", false);
    expect(store.get(widgetKey("one"))).toBeUndefined();
  });

  it("given a writer, when a loop deletes, then the truth is asked; uid and absence are checked first", async () => {
    const written: string[] = [];
    const store = await aStore({
      writers: () => ({
        Desired: { write: async ({ key, caller }) => void written.push(`${caller.role} ${key.name}`) },
      }),
    });
    await declared(store, "one");
    await expect(store.delete(widgetKey("one"), { uid: "other" })).rejects.toMatchObject({ code: 409 });
    await expect(store.delete(widgetKey("none"))).rejects.toMatchObject({ code: 404 });
    await store.delete(widgetKey("one"));
    expect(written).toEqual(["loop one"]);
  });
});

describe("reading", () => {
  it("given a snapshot, when objects change afterwards, then it stays as it was", async () => {
    const store = await aStore();
    for (const name of ["b", "a", "c"]) await declared(store, name);
    const { items, resourceVersion } = store.snapshot("Widget");
    await declared(store, "a", { role: "y" });
    await store.withdraw(widgetKey("b"));
    await declared(store, "aa");
    expect(items.map(({ metadata, spec }) => `${metadata.name} ${String(spec["role"])}`)).toEqual([
      "a x",
      "b x",
      "c x",
    ]);
    expect(Number(store.currentVersion())).toBe(Number(resourceVersion) + 3);
    expect(store.list("Widget").map(({ metadata }) => metadata.name)).toEqual(["a", "aa", "c"]);
  });

  it("given namespaces that begin alike, when one is listed, then only its objects come, in the order of etcd", async () => {
    const store = await aStore();
    for (const namespace of ["a", "a-b", "ab", "a.b"]) {
      for (const name of ["2", "1"])
        await store.declare({ kind: "Widget", namespace, name }, { spec: {}, origin: ORIGIN, labels: { n: name } });
    }
    expect(
      store.snapshot("Widget").items.map(({ metadata }) => `${String(metadata.namespace)}/${metadata.name}`),
    ).toEqual(["a-b/1", "a-b/2", "a.b/1", "a.b/2", "a/1", "a/2", "ab/1", "ab/2"]);
    expect(store.list("Widget", { namespace: "a", labels: { n: "2" } }).map(({ metadata }) => metadata.name)).toEqual([
      "2",
    ]);
  });

  it("given changes, when asked what came after a version, then exactly those, and Expired beyond the ring", async () => {
    const store = await aStore({ ringSize: 4 });
    const start = store.currentVersion();
    await declared(store, "0");
    const afterFirst = store.currentVersion();
    for (let index = 1; index < 4; index += 1) await declared(store, String(index));
    expect((store.eventsSince(afterFirst) as readonly WatchEvent[]).map(({ object }) => object.metadata.name)).toEqual([
      "1",
      "2",
      "3",
    ]);
    expect(store.eventsSince(store.currentVersion())).toEqual([]);
    for (let index = 4; index < 40; index += 1) await declared(store, String(index));
    expect(store.eventsSince(start)).toBe("Expired");
    expect(store.eventsSince("-1")).toBe("Expired");
    expect(store.eventsSince("nonsense")).toBe("Expired");
  });
});

describe("subscriptions", () => {
  it("given a listener that writes, when events are told, then all hear all in one order", async () => {
    const store = await aStore();
    const heard: string[] = [];
    store.subscribe((event) => {
      if (event.type === "ADDED" && event.object.metadata.name === "one") void declared(store, "two");
      heard.push(`first ${summary(event)}`);
    });
    store.subscribe((event) => heard.push(`second ${summary(event)}`));
    await declared(store, "one");
    expect(heard).toEqual(["first ADDED one g1", "second ADDED one g1", "first ADDED two g1", "second ADDED two g1"]);
  });

  it("given a listener that throws, when events are told, then others hear them and it is logged", async () => {
    const log = keptLog();
    const store = await aStore({ log });
    store.subscribe(() => {
      throw new Error("broken");
    });
    const events = recorded(store);
    await declared(store, "one");
    expect(events).toEqual(["ADDED one g1"]);
    expect(log.lines).toEqual(["error watch listener failed"]);
  });

  it("given an unsubscribed listener, when events follow, then it hears none", async () => {
    const store = await aStore();
    const events: string[] = [];
    const stop = store.subscribe((event) => events.push(summary(event)));
    stop();
    await declared(store, "one");
    expect(events).toEqual([]);
  });

  it("given a change, when a listener reads, then the store already shows it", async () => {
    const store = await aStore();
    let seen: unknown;
    store.subscribe(({ object }) => {
      seen = store.get(widgetKey(object.metadata.name));
    });
    await declared(store, "one");
    expect(seen).toBe(store.get(widgetKey("one")));
  });
});

describe("any sequence of writes", () => {
  const names = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    fc.record({ do: fc.constant("declare" as const), name: names, role: fc.constantFrom("x", "y") }),
    fc.record({ do: fc.constant("withdraw" as const), name: names, role: fc.constant("") }),
    fc.record({ do: fc.constant("status" as const), name: names, role: fc.constantFrom("s", "t") }),
    fc.record({ do: fc.constant("hold" as const), name: names, role: fc.constant("") }),
    fc.record({ do: fc.constant("release" as const), name: names, role: fc.constant("") }),
  );

  it("given the events alone, when replayed, then they give the same objects, with rising versions", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const store = await aStore();
        const start = store.currentVersion();
        const mirror = new Map<string, unknown>();
        let last = Number(start);
        store.subscribe(({ type, object }) => {
          expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(last);
          last = Number(object.metadata.resourceVersion);
          if (type === "DELETED") mirror.delete(object.metadata.name);
          else mirror.set(object.metadata.name, object);
        });
        for (const { do: action, name, role } of steps) {
          if (action === "declare") await declared(store, name, { role });
          if (action === "withdraw") await store.withdraw(widgetKey(name));
          if (action === "status") await store.patchStatus(widgetKey(name), { note: role });
          if (action === "hold") await store.setFinalizer(widgetKey(name), "town.dev/a", true);
          if (action === "release") await store.setFinalizer(widgetKey(name), "town.dev/a", false);
        }
        expect(mirror).toEqual(new Map(store.list("Widget").map((object) => [object.metadata.name, object])));
        const told = store.eventsSince(start) as readonly WatchEvent[];
        expect(told.length).toBe(new Set(told.map(({ object }) => object.metadata.resourceVersion)).size);
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});
