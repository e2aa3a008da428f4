import { describe, expect, test } from "vitest";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { GraphDirectory } from "../../src/graph/work-graphs.ts";
import { alice, graphWorld, type GraphWorld } from "./graph-world.ts";

interface Town {
  readonly world: GraphWorld;
  readonly directory: GraphDirectory;
  readonly hq: GitGraph;
  readonly api: GitGraph;
}

async function town(): Promise<Town> {
  const world = await graphWorld();
  const directory = new GraphDirectory();
  const { graph: hq } = await world.open("/hq", { namespace: "hq", prefix: "hq" });
  const { graph: api } = await world.open("/api", { namespace: "api", prefix: "api" });
  directory.add(hq);
  directory.add(api);
  return { world, directory, hq, api };
}

const ready = (graph: GitGraph): readonly string[] => graph.ready().map(({ id }) => id);

describe("several stores", () => {
  test("given ids of any form, when routed, then the longest known prefix decides", async () => {
    const { world, directory, hq, api } = await town();
    const { graph: web } = await world.open("/web", { namespace: "web", prefix: "api-web" });
    directory.add(web);
    expect(directory.graphOf("hq-cv-abc")).toBe(hq);
    expect(directory.graphOf("api-x1y2z3.4")).toBe(api);
    expect(directory.graphOf("api-web-x1")).toBe(web);
    expect(directory.graphOf("other-1")).toBeUndefined();
    expect(directory.graph("web")).toBe(web);
    expect(directory.all()).toEqual([hq, api, web]);
  });

  test("given two stores of one prefix or namespace, when added, then the second is refused", async () => {
    const { world, directory } = await town();
    const { graph } = await world.open("/other", { namespace: "other", prefix: "api" });
    expect(() => directory.add(graph)).toThrow("has the prefix 'api' too");
    const { graph: again } = await world.open("/more", { namespace: "hq", prefix: "more" });
    expect(() => directory.add(again)).toThrow("there is one");
  });

  test("given a bead that waits for another store's, when that one closes and reopens, then ready follows", async () => {
    const { hq, api } = await town();
    const first = await hq.transact(alice, (tx) => tx.create({ title: "first" }));
    const second = await api.transact(alice, (tx) => tx.create({ title: "second", dependsOn: [{ id: first.id }] }));
    expect(ready(api)).toEqual([]);
    expect(api.blockersOf(second.id)).toEqual([first]);
    await hq.transact(alice, (tx) => tx.close(first.id));
    expect(ready(api)).toEqual([second.id]);
    await hq.transact(alice, (tx) => tx.reopen(first.id));
    expect(ready(api)).toEqual([]);
    expect(api.isBlocked(second.id)).toBe(true);
  });

  test("given a reference to a bead that its store does not have, then it is refused; to a store that is away, then it waits", async () => {
    const { directory, api } = await town();
    await expect(
      api.transact(alice, (tx) => tx.create({ title: "t", dependsOn: [{ id: "hq-none1" }] })),
    ).rejects.toMatchObject({ reason: "NotFound" });
    directory.expect("web", "web");
    const waiting = await api.transact(alice, (tx) => tx.create({ title: "t", dependsOn: [{ id: "web-a1b2c3" }] }));
    expect(ready(api)).toEqual([]);
    expect(api.isBlocked(waiting.id)).toBe(true);
    const away = ["web-a1b2c3", "hq-a1b2c3", "x-1"].filter((id) => directory.isAway(id));
    expect(away).toEqual(["web-a1b2c3"]);
    directory.forget("web");
    expect(ready(api)).toEqual([waiting.id]);
  });

  test("given stores that open one after the other, when one of them waits for a bead of the next, then it is never ready", async () => {
    const { world, hq, api } = await town();
    const first = await hq.transact(alice, (tx) => tx.create({ title: "first" }));
    await api.transact(alice, (tx) => tx.create({ title: "second", dependsOn: [{ id: first.id }] }));
    await hq.flush();
    const told: string[] = [];
    const directory = new GraphDirectory((namespace, ids) => void told.push(`${namespace} ${ids.length}`));
    directory.expect("hq", "hq");
    directory.add(api);
    expect(ready(api)).toEqual([]);
    const { graph } = await world.open("/hq", { namespace: "hq", prefix: "hq", readOnly: true });
    directory.add(graph);
    expect(ready(api)).toEqual([]);
    expect(told).toEqual(["api 1"]);
  });

  test("given an epic of the town with a child in a rig, when the epic is deferred or waits, then the child waits; when its time comes, it does not", async () => {
    const { world, hq, api } = await town();
    const epic = await hq.transact(alice, (tx) => tx.create({ title: "epic", issue_type: "epic" }));
    const child = await api.transact(alice, (tx) => tx.create({ title: "child", parent: epic.id }));
    expect(child.id).toMatch(/^api-/);
    expect(api.parentOf(child.id)?.id).toBe(epic.id);
    expect(ready(api)).toEqual([child.id]);
    const until = new Date(world.clock.now() + 1_000).toISOString();
    await hq.transact(alice, (tx) => tx.update(epic.id, { defer_until: until }));
    expect(ready(api)).toEqual([]);
    await world.clock.advance(1_001);
    expect(ready(api)).toEqual([child.id]);
    const gate = await hq.transact(alice, (tx) => tx.create({ title: "gate" }));
    await hq.transact(alice, (tx) => tx.addDependency(epic.id, gate.id));
    expect(ready(api)).toEqual([]);
    await hq.transact(alice, (tx) => tx.close(gate.id));
    expect(ready(api)).toEqual([child.id]);
  });

  test("given external references, when the project ships the capability, then they are satisfied, in its own store too", async () => {
    const { hq, api } = await town();
    const waiting = await hq.transact(alice, (tx) =>
      tx.create({ title: "w", dependsOn: [{ id: "external:api:login" }] }),
    );
    const own = await api.transact(alice, (tx) => tx.create({ title: "o", dependsOn: [{ id: "external:api:login" }] }));
    const nobody = await hq.transact(alice, (tx) =>
      tx.create({ title: "n", dependsOn: [{ id: "external:nobody:x" }] }),
    );
    expect(ready(hq)).toEqual([]);
    expect(ready(api)).toEqual([]);
    const ship = await api.transact(alice, (tx) => tx.create({ title: "ship", labels: ["provides:login"] }));
    expect(ready(hq)).toEqual([]);
    await api.transact(alice, (tx) => tx.close(ship.id));
    expect(ready(hq)).toEqual([waiting.id]);
    expect(ready(api)).toEqual([own.id]);
    expect(hq.isBlocked(nobody.id)).toBe(true);
  });

  test("given a store that goes away and comes back, then what refers to it waits meanwhile", async () => {
    const { directory, hq, api } = await town();
    const first = await hq.transact(alice, (tx) => tx.create({ title: "first" }));
    const second = await api.transact(alice, (tx) => tx.create({ title: "second", dependsOn: [{ id: first.id }] }));
    await hq.transact(alice, (tx) => tx.close(first.id));
    expect(ready(api)).toEqual([second.id]);
    directory.remove("hq");
    expect(ready(api)).toEqual([]);
    directory.add(hq);
    expect(ready(api)).toEqual([second.id]);
  });
});
