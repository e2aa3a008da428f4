import { describe, expect, it } from "vitest";
import type { KubeEvent } from "../../src/store/event-recorder.ts";
import type { Store } from "../../src/store/store.ts";
import { aStore, aWorld, declared, widgetKey } from "./a-store.ts";

const events = (store: Store): readonly KubeEvent[] => store.list("Event") as unknown as readonly KubeEvent[];
const happened = (message = "Started it") => ({ type: "Normal" as const, reason: "Started", message });

describe("events", () => {
  it("given an object, when something happens twice, then one Event counts it and keeps its first time", async () => {
    const { open, clock } = aWorld();
    const store = await open();
    const one = await declared(store, "one");
    store.record(widgetKey("one"), { ...happened(), actor: "workers" });
    await clock.advance(5_000);
    store.record(widgetKey("one"), { ...happened(), actor: "workers" });
    expect(events(store)).toMatchObject([
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: { namespace: "api", name: expect.stringMatching(/^one\.[0-9a-f]{16}$/) },
        involvedObject: {
          apiVersion: "town.dev/v1alpha1",
          kind: "Widget",
          name: "one",
          namespace: "api",
          uid: one.metadata.uid,
        },
        type: "Normal",
        reason: "Started",
        count: 2,
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-01T00:00:05Z",
        source: { component: "workers" },
      },
    ]);
    expect(events(store)[0]).not.toHaveProperty("spec");
  });

  it("given a cluster-scoped object, when something happens, then its Event is in namespace default", async () => {
    const store = await aStore();
    store.record({ kind: "Rig", name: "api" }, happened());
    expect(events(store)[0]).toMatchObject({
      metadata: { namespace: "default" },
      involvedObject: { kind: "Rig", name: "api" },
    });
    expect(events(store)[0]?.involvedObject).not.toHaveProperty("namespace");
  });

  it("given old Events, when an hour passes, then they are gone and watchers are told", async () => {
    const { open, clock } = aWorld();
    const store = await open();
    store.record(widgetKey("one"), happened());
    await clock.advance(30 * 60_000);
    store.record(widgetKey("two"), happened());
    const told: string[] = [];
    store.subscribe(({ type, object }) => told.push(`${type} ${object.metadata.name.split(".")[0] ?? ""}`));
    await clock.advance(31 * 60_000);
    expect(events(store).map(({ involvedObject }) => involvedObject.name)).toEqual(["two"]);
    expect(told).toEqual(["DELETED one"]);
  });

  it("given an object that talks too much, when Events pile up, then its oldest go and others keep theirs", async () => {
    const store = await aStore();
    store.record(widgetKey("quiet"), happened());
    for (let index = 0; index < 200; index += 1) store.record(widgetKey("loud"), happened(`message ${index}`));
    const messages = events(store)
      .filter(({ involvedObject }) => involvedObject.name === "loud")
      .map(({ message }) => message);
    expect(messages).toHaveLength(50);
    expect(messages).toContain("message 199");
    expect(messages).not.toContain("message 149");
    expect(events(store).some(({ involvedObject }) => involvedObject.name === "quiet")).toBe(true);
  });

  it("given very many objects with Events, when the cap is reached, then the oldest go", async () => {
    const store = await aStore();
    for (let index = 0; index < 5_200; index += 1) store.record(widgetKey(`w${index}`), happened());
    expect(events(store).length).toBeLessThanOrEqual(5_001);
    expect(events(store).some(({ involvedObject }) => involvedObject.name === "w0")).toBe(false);
  });

  it("given Events, when restarted, then they go on counting and expire as before", async () => {
    const { open, clock } = aWorld();
    const store = await open();
    await declared(store, "one");
    store.record(widgetKey("one"), happened());
    await store.close();
    const next = await open();
    next.record(widgetKey("one"), happened());
    expect(events(next)).toMatchObject([{ count: 2 }]);
    await next.close();
    await clock.advance(2 * 3_600_000);
    expect(events(await open())).toEqual([]);
  });
});
