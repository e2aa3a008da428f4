import { expect, test } from "vitest";
import { TownGraphs } from "../../src/graph/graph-host.ts";
import { projectGraph } from "../../src/kinds/graph-projection.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { silentLog } from "../../src/ports/log.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import { createStore } from "../../src/store/store.ts";
import { alice, graphWorld } from "../graph/graph-world.ts";

async function shown() {
  const world = await graphWorld();
  const { clock, random } = world;
  const store = await createStore({ registry: kindRegistry(KINDS), clock, random, log: silentLog });
  const graphs = new TownGraphs({
    files: world.disk.mount(),
    clock,
    random,
    processes: world.machine.life().processes,
    log: silentLog,
    project: (graph) =>
      projectGraph(graph, store, (error) => {
        throw error;
      }),
  });
  const open = async (namespace: string) =>
    graphs.open(namespace, await world.repository(`/${namespace}`), { prefix: namespace, branch: "town/work" });
  const [api, web] = [await open("api"), await open("web")];
  const changes: string[] = [];
  store.subscribe(({ object }) => void changes.push(object.metadata.name));
  const standing = async (id: string): Promise<unknown> => {
    await graphs.settled("web");
    return (store.get({ kind: "Bead", namespace: "web", name: id })?.status as { ready?: boolean } | undefined)?.ready;
  };
  return { api, web, graphs, changes, standing };
}

test("given a bead that waits for another rig's, when that one closes or reopens, then it is shown so at once, and one that waits for nothing there is left", async () => {
  const { api, web, changes, standing } = await shown();
  const first = await api.transact(alice, (tx) => tx.create({ title: "first" }));
  const [second, other] = await web.transact(alice, (tx) => [
    tx.create({ title: "second", dependsOn: [{ id: first.id }] }),
    tx.create({ title: "other" }),
  ]);
  if (second === undefined || other === undefined) throw new Error("not made");
  expect(await standing(second.id)).toBe(false);
  changes.length = 0;
  await api.transact(alice, (tx) => tx.close(first.id));
  expect(await standing(second.id)).toBe(true);
  await api.transact(alice, (tx) => tx.reopen(first.id));
  expect(await standing(second.id)).toBe(false);
  expect(changes.filter((name) => name === second.id)).toHaveLength(2);
  expect(changes).not.toContain(other.id);
});

test("given a bead that waits for what another rig provides, when that is there, then it is shown so at once", async () => {
  const { api, web, standing } = await shown();
  const waiting = await web.transact(alice, (tx) => {
    const made = tx.create({ title: "waits" });
    tx.addDependency(made.id, "external:api:login");
    return made;
  });
  expect(await standing(waiting.id)).toBe(false);
  const login = await api.transact(alice, (tx) => tx.create({ title: "login", labels: ["provides:login"] }));
  await api.transact(alice, (tx) => tx.close(login.id));
  expect(await standing(waiting.id)).toBe(true);
});

test("given a bead that waits for a closed one, when the store of that goes away, then it is shown as waiting", async () => {
  const { web, graphs, standing } = await shown();
  const api = graphs.directory.graph("api");
  const first = await api?.transact(alice, (tx) => tx.create({ title: "first" }));
  const second = await web.transact(alice, (tx) =>
    tx.create({ title: "second", dependsOn: [{ id: first?.id ?? "" }] }),
  );
  await api?.transact(alice, (tx) => tx.close(first?.id ?? ""));
  graphs.directory.remove("api");
  expect(await standing(second.id)).toBe(false);
});
