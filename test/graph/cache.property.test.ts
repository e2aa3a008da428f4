import { describe, expect, test } from "vitest";
import type { BeadSketch } from "../../src/domain/work-graph/bead.ts";
import { sketchOrder, sortBy } from "../../src/domain/work-graph/queries/sort-beads.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { recordPath } from "../../src/domain/work-graph/ids/record-path.ts";
import { canonicalJson } from "../../src/domain/work-graph/record/canonical.ts";
import { keyOf } from "../../src/domain/work-graph/record/facts.ts";
import { TownError } from "../../src/errors/town-error.ts";
import type { Files } from "../../src/ports/files.ts";
import { commitByHand } from "./by-hand.ts";
import { alice, bob, graphWorld, type GraphWorld } from "./graph-world.ts";
import { fc, fuzzRuns } from "../property.ts";

/*
 * A process that reads the cache and one that reads git alone must say the same, whatever happened before: changes, flushed
 * or not, of this store, of clones and of people with plain git, branches moved back, stores killed, clocks set.
 */
type Act =
  | { readonly do: "Many"; readonly at: string; readonly count: number }
  | {
      readonly do:
        | "Create"
        | "Wisp"
        | "Close"
        | "Reopen"
        | "Delete"
        | "Depend"
        | "Below"
        | "Defer"
        | "Label"
        | "Key"
        | "Promote";
      readonly at: string;
      readonly bead: number;
      readonly other: number;
      readonly type: string;
    }
  | { readonly do: "Flush" | "Restart" | "Kill" | "Sync"; readonly at: string }
  | { readonly do: "HandEdit"; readonly bead: number }
  | { readonly do: "MoveBack" }
  | { readonly do: "Wait"; readonly ms: number };

const site = fc.constantFrom("/repo", "/repo", "/repo", "/far");
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(["Create", "Create", "Wisp", "Close", "Reopen", "Delete", "Depend", "Depend"] as const),
        ...(["Below", "Below", "Defer", "Label", "Key", "Promote"] as const),
      ),
      at: site,
      bead: fc.nat(9),
      other: fc.nat(9),
      type: fc.constantFrom("blocks", "waits-for", "conditional-blocks", "merge-blocks", "related"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("Many" as const), at: site, count: fc.constantFrom(5, 230) }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constantFrom("Flush" as const, "Flush" as const, "Restart" as const, "Kill" as const, "Sync" as const),
      at: site,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("HandEdit" as const), bead: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.constant({ do: "MoveBack" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("Wait" as const), ms: fc.constantFrom(1_000, 3_600_000) }) },
);

const calm = { flushIntervalMs: 1_000_000_000, prefix: "api" };

class History {
  readonly world: GraphWorld;
  readonly #open = new Map<string, Awaited<ReturnType<GraphWorld["open"]>>>();
  #made = 0;

  constructor(world: GraphWorld) {
    this.world = world;
  }

  async graph(at: string): Promise<GitGraph> {
    const known = this.#open.get(at) ?? (await this.world.open(at, calm));
    this.#open.set(at, known);
    return known.graph;
  }

  async end(at: string, how: "Close" | "Kill"): Promise<void> {
    const known = this.#open.get(at);
    this.#open.delete(at);
    if (how === "Kill") known?.kill();
    else await known?.graph.close();
  }

  async perform(one: Act): Promise<void> {
    const { world } = this;
    if (one.do === "Wait") return world.clock.advance(one.ms);
    if (one.do === "HandEdit") return this.#handEdit(one.bead);
    if (one.do === "MoveBack") return this.#moveBack();
    const graph = await this.graph(one.at);
    if (one.do === "Flush") return void (await graph.flush());
    if (one.do === "Restart" || one.do === "Kill") return this.end(one.at, one.do === "Kill" ? "Kill" : "Close");
    if (one.do === "Sync") return this.#sync(one.at);
    try {
      await this.#change(graph, one);
    } catch (error) {
      // What the rules refuse changes nothing.
      if (!(error instanceof TownError)) throw error;
    }
  }

  async #change(graph: GitGraph, one: Extract<Act, { readonly at: string }>): Promise<void> {
    const author = one.at === "/repo" ? alice : bob;
    if (one.do === "Many") {
      await graph.transact(author, (tx) => {
        for (let i = 0; i < one.count; i++)
          tx.create({ title: "one of many", id: `api-m${this.#made++}`, priority: i % 5 });
      });
      return;
    }
    if (!("bead" in one)) return;
    const beads = graph.list().map(({ id }) => id);
    const [bead = "", other = ""] = [beads[one.bead % (beads.length || 1)], beads[one.other % (beads.length || 1)]];
    await graph.transact(author, (tx) => {
      const until = new Date(tx.now + 60_000 * one.other).toISOString();
      if (one.do === "Create")
        tx.create({ title: "x", id: `api-${this.#made++}`, issue_type: one.other === 1 ? "epic" : "task" });
      else if (one.do === "Wisp") tx.create({ title: "w", id: `api-wisp-${this.#made++}`, ephemeral: true });
      else if (one.do === "Close") tx.close(bead, { reason: one.other % 2 === 0 ? "Merged" : "failed", force: true });
      else if (one.do === "Reopen") tx.reopen(bead);
      else if (one.do === "Delete") tx.delete(bead);
      else if (one.do === "Depend")
        tx.addDependency(
          bead,
          one.other === 0 ? "api-nowhere" : other,
          one.type,
          one.type === "waits-for" ? '{"gate":"any-children"}' : undefined,
        );
      else if (one.do === "Below") tx.addDependency(bead, other, "parent-child");
      else if (one.do === "Defer") tx.update(bead, { defer_until: until });
      else if (one.do === "Label") tx.addLabel(bead, `l${one.other}`);
      else if (one.do === "Key") tx.setMetadata(bead, { "town.key": `key-${this.#made++}` });
      else tx.update(bead, { ephemeral: null }, { force: true });
    });
  }

  async #sync(at: string): Promise<void> {
    const graph = await this.graph(at);
    const other = at === "/repo" ? "/far" : "/repo";
    const { commit } = await (await this.graph(other)).flush();
    await graph.repository.fetch(other, ["+refs/heads/town/work:refs/town/other"]);
    await graph.absorb(commit);
    await graph.flush();
  }

  /** Somebody changes a file of the branch with plain git. */
  async #handEdit(bead: number): Promise<void> {
    const graph = await this.graph("/repo");
    await graph.flush();
    const records = graph.storedRecords().filter(({ ephemeral }) => ephemeral !== true);
    const record = records[bead % (records.length || 1)];
    if (record === undefined) return;
    const text = `${JSON.stringify({ ...record, title: `edited ${this.#made++}`, priority: 0 })}\n`;
    await commitByHand(graph.repository, { [recordPath(record.id)]: text }, this.world.clock.now());
  }

  async #moveBack(): Promise<void> {
    const { repository } = await this.graph("/repo");
    const tip = await repository.resolve("refs/heads/town/work");
    const [parent] = tip === undefined ? [] : ((await repository.objects.readCommit(tip))?.parents ?? []);
    if (parent !== undefined) await repository.updateRefs([{ ref: "refs/heads/town/work", to: parent }], "reset");
  }
}

/** Everything that a reader can say, as a process that opens the store now says it. */
async function told(world: GraphWorld, at: string, options: { readonly files: Files; readonly laterMs: number }) {
  const now = world.clock.now() + options.laterMs;
  const clock = new Proxy(world.clock, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      return name === "now" ? () => now : typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const { graph } = await world.open(at, { ...calm, readOnly: true, files: options.files, clock });
  const sorted = (all: readonly unknown[]) => all.map(canonicalJson).sort();
  const idsOf = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id);
  // First what needs no record: reading them all would wake them.
  const sketched = {
    ready: idsOf(graph.readySketches()),
    epics: idsOf(graph.readySketches({ type: "epic" })),
    first: idsOf(graph.readySketches({ limit: 3 })),
    count: graph.readyCount(),
    open: idsOf(graph.sketches({ status: ["open"] })).sort(),
    unsettled: idsOf(graph.list({ excludeStatus: ["closed", "pinned"] })),
    twoStatuses: idsOf(graph.list({ status: ["open", "in_progress"] })),
    labelled: idsOf(graph.sketches({ label: "l1" })).sort(),
    few: fewSketches(graph),
    keys: graph
      .sketches()
      .map(({ id, status, priority, issue_type: type }) => `${id} ${status} ${priority} ${type}`)
      .sort(),
  };
  const targets = [...graph.storedRecords().map(({ id }) => id), "api-nowhere"].slice(0, 40);
  const history: unknown[] = [];
  for (const id of targets.slice(0, 6)) history.push(sorted(await graph.history(id)));
  const all = {
    sketched,
    records: graph.storedRecords(),
    work: graph.ready(),
    blocked: targets.filter((id) => graph.isBlocked(id)),
    dependents: targets.map((id) => sorted(graph.dependentsOf(id))),
    children: targets.map((id) => idsOf(graph.childrenOf(id)).sort()),
    missing: [...graph.foreignTargets()].sort(),
    byKey: targets.map((id) => graph.byKey(keyOf(graph.get(id)) ?? "")?.id),
    history,
  };
  await graph.close();
  return all;
}

/** The first of the open beads, which must be those that sorting all of them gives. */
function fewSketches(graph: GitGraph): unknown {
  const filter = { excludeStatus: ["closed"] };
  const fits = ({ priority }: BeadSketch): boolean => priority > 0;
  const order = { nowMs: 0, reverse: true };
  const { first, total } = graph.firstSketches(filter, { fits, compare: sketchOrder("priority", order), first: 3 });
  const all = sortBy(graph.sketches(filter).filter(fits), (sketch) => sketch, "priority", order);
  const idsOf = (some: readonly BeadSketch[]) => some.map(({ id }) => id);
  expect({ first: idsOf(first), total }).toEqual({ first: idsOf(all.slice(0, 3)), total: all.length });
  expect(first.every(Object.isFrozen)).toBe(true);
  return { first: idsOf(first), total };
}

function withoutCache(files: Files): Files {
  return new Proxy(files, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: readonly unknown[]) =>
        (name === "openRead" || name === "readText") && String(args[0]).includes("/cache/")
          ? Promise.resolve(undefined)
          : (Reflect.apply(value, target, args) as unknown);
    },
  });
}

describe("the cache of a store", () => {
  test("given any history, when it is read with the cache and without, then both say the same at any time", async () => {
    let cached = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 40, size: "max" }), fc.nat(), async (acts, seed) => {
        const world = await graphWorld(seed);
        const history = new History(world);
        await (await history.graph("/repo")).flush();
        for (const [i, one] of acts.entries()) {
          await history.perform(one);
          if (i % 6 !== 5 && i < acts.length - 1) continue;
          const disk = world.disk.mount();
          if ((await disk.stat("/repo/town/cache/columns.bin")) !== undefined) cached++;
          for (const laterMs of [0, 200_000, -100_000]) {
            const plain = await told(world, "/repo", { files: withoutCache(disk), laterMs });
            expect(await told(world, "/repo", { files: disk, laterMs })).toEqual(plain);
          }
        }
        for (const at of ["/repo", "/far"]) await history.end(at, "Kill");
      }),
      { numRuns: fuzzRuns(40) },
    );
    expect(cached).toBeGreaterThan(50);
  });
});
