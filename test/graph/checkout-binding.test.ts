import { describe, expect, test } from "vitest";
import { bindCheckout, unbindCheckout } from "../../src/graph/checkout-binding.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { StoreSettings } from "../../src/graph/store-settings.ts";
import type { Repository } from "../../src/ports/git.ts";
import { silentLog } from "../../src/ports/log.ts";
import { alice, bob, graphWorld, type GraphWorld } from "./graph-world.ts";

interface Site {
  readonly world: GraphWorld;
  readonly rig: GitGraph;
  readonly checkout: Repository;
  bind(this: void): ReturnType<typeof bindCheckout>;
  unbind(this: void, graph?: GitGraph): ReturnType<typeof unbindCheckout>;
}

/** A rig's store and a user's repository. */
async function site(): Promise<Site> {
  const world = await graphWorld();
  const { graph: rig } = await world.open("/town/rig.git");
  const checkout = await world.repository("/home/project");
  const ports = {
    files: world.disk.mount(),
    clock: world.clock,
    random: world.random,
    processes: world.machine.life().processes,
    log: silentLog,
  };
  return {
    world,
    rig,
    checkout,
    bind: () => bindCheckout(rig, checkout, ports),
    unbind: (graph) => unbindCheckout(graph, checkout, rig.repository.commonDirectory, ports),
  };
}

/** The user's own store, as commands without a town write it. */
async function withOwnStore<T>({ world }: Site, work: (graph: GitGraph) => Promise<T>): Promise<T> {
  const { graph } = await world.open("/home/project", { prefix: "own", namespace: "own" });
  const result = await work(graph);
  await graph.close();
  return result;
}

const titles = (graph: GitGraph): readonly string[] =>
  graph
    .list()
    .map(({ title }) => title)
    .sort();

describe("a checkout that follows the store of a rig", () => {
  test("given a repository without beads, when bound and let go, then it is as before", async () => {
    const here = await site();
    const before = await here.checkout.listRefs("refs/");
    expect(await here.bind()).toBe("Bound");
    expect(await here.checkout.config("town.store")).toBe(here.rig.repository.commonDirectory);
    expect(await here.bind()).toBe("AlreadyBound");
    await here.rig.transact(alice, (tx) => tx.create({ title: "of the rig" }));
    expect(await here.unbind(here.rig)).toBe("Unbound");
    expect(await here.checkout.config("town.store")).toBeUndefined();
    expect(await here.checkout.listRefs("refs/")).toEqual(before);
    expect(await here.world.disk.mount().list(`${here.checkout.commonDirectory}/town`)).toEqual([]);
    expect(await here.unbind(here.rig)).toBe("NotBound");
  });

  test("given beads, unflushed changes and wisps of its own, when bound, then the rig's store has all, with their history", async () => {
    const here = await site();
    await here.rig.transact(alice, (tx) => tx.create({ title: "of the rig" }));
    const flushed = await withOwnStore(here, (own) => own.transact(bob, (tx) => tx.create({ title: "flushed" })));
    const { graph: crashed, kill } = await here.world.open("/home/project", { prefix: "own", namespace: "own" });
    await crashed.transact(bob, (tx) => tx.create({ title: "in the log alone" }));
    const wisp = await crashed.transact(bob, (tx) => tx.create({ title: "wisp", ephemeral: true }));
    kill();
    await here.bind();
    expect(titles(here.rig)).toEqual(["flushed", "in the log alone", "of the rig", "wisp"]);
    expect(here.rig.get(wisp.id)).toEqual(wisp);
    expect((await here.rig.history(flushed.id)).map(({ actor, event }) => `${actor} ${event}`)).toEqual([
      "bob created",
    ]);
    expect(await withOwnStore(here, (own) => Promise.resolve(titles(own)))).not.toContain("wisp");
  });

  test("given its own beads, when let go after work in the town, then it gets them back as they are now", async () => {
    const here = await site();
    const { id } = await withOwnStore(here, (own) => own.transact(bob, (tx) => tx.create({ title: "mine" })));
    await here.bind();
    await here.rig.transact(alice, (tx) => tx.close(id, { reason: "done in the town" }));
    await here.rig.transact(alice, (tx) => tx.create({ title: "made in the town" }));
    await here.unbind(here.rig);
    expect([...(await here.checkout.listRefs("refs/town/")).keys()]).toEqual(["refs/town/flushed"]);
    await withOwnStore(here, async (own) => {
      await Promise.resolve();
      expect(titles(own)).toEqual(["made in the town", "mine"]);
      expect(own.get(id)).toMatchObject({ status: "closed", close_reason: "done in the town" });
    });
  });

  test("given the end of the process at any write, when bound again, then nothing is missing and the binding is whole", async () => {
    for (let writes = 0; ; writes++) {
      const here = await site();
      await withOwnStore(here, (own) => own.transact(bob, (tx) => tx.create({ title: "mine" })));
      await withOwnStore(here, (own) => own.transact(bob, (tx) => tx.create({ title: "wisp", ephemeral: true })));
      let left = writes;
      const dying = new Proxy(here.rig.repository, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (!["setConfig", "fetch", "updateRefs"].includes(String(name))) return value;
          return (...args: unknown[]) => {
            if (left-- === 0) throw new Error("killed");
            return (value as (...all: unknown[]) => unknown).apply(target, args);
          };
        },
      });
      const graph = new Proxy(here.rig, {
        get: (target, name) => {
          if (name === "repository") return dying;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
      const ports = {
        files: here.world.disk.mount(),
        clock: here.world.clock,
        random: here.world.random,
        processes: here.world.machine.life().processes,
        log: silentLog,
      };
      const first = await bindCheckout(graph, here.checkout, ports).catch((error: unknown) => String(error));
      expect(["Bound", "Error: killed"]).toContain(first);
      await here.bind();
      expect(titles(here.rig)).toEqual(["mine", "wisp"]);
      expect(await here.bind()).toBe("AlreadyBound");
      if (first === "Bound") {
        expect(writes).toBeGreaterThan(3);
        return;
      }
    }
  });

  test("given settings of its own, when bound, then the rig's store has those it did not have, and they count at once", async () => {
    const here = await site();
    const files = here.world.disk.mount();
    await withOwnStore(here, (own) => own.transact(bob, (tx) => tx.create({ title: "mine" })));
    const own = await StoreSettings.open(files, `${here.checkout.commonDirectory}/town/bd.json`, { writes: true });
    await own.change(
      {
        "status.custom": "in_review:wip",
      },
      "2026-01-01T00:00:00Z",
    );
    await here.bind();
    const { id } = await here.rig.transact(alice, (tx) => tx.create({ title: "reviewed", status: "in_review" }));
    expect(here.rig.get(id)?.status).toBe("in_review");
  });

  test("given a repository that follows another store, when bound or let go, then it is refused and left as it is", async () => {
    const here = await site();
    await here.checkout.setConfig("town.store", "/elsewhere/rig.git");
    await expect(here.bind()).rejects.toThrow("it follows another store, /elsewhere/rig.git");
    expect(await here.unbind(here.rig)).toBe("NotBound");
    expect(await here.checkout.config("town.store")).toBe("/elsewhere/rig.git");
  });

  test("given a store that is gone, when let go, then the configuration at least is restored", async () => {
    const here = await site();
    await here.bind();
    expect(await here.unbind()).toBe("Unbound");
    expect(await here.checkout.config("town.store")).toBeUndefined();
  });
});
