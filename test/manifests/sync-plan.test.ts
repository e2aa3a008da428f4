import { describe, expect, test } from "vitest";
import type { InventoryEntry } from "../../src/manifests/inventory.ts";
import { loadSource } from "../../src/manifests/load-source.ts";
import type { LoadedSource } from "../../src/manifests/load-source.ts";
import { planSync } from "../../src/manifests/sync-plan.ts";
import type { SyncInput, SyncPlan } from "../../src/manifests/sync-plan.ts";
import { keyText } from "../../src/resource/object-meta.ts";
import { SAMPLE_KINDS, poolText, rigText } from "./sample-kinds.ts";
import { fc } from "../property.ts";

const REVISION = "0123456789abcdef0123456789abcdef01234567";
const context = { kinds: SAMPLE_KINDS, locals: new Map<string, string>() };

function source(files: Readonly<Record<string, string>>): LoadedSource {
  return loadSource(
    Object.entries(files).map(([path, text]) => ({ path, content: text, text: () => text })),
    context,
  );
}

function applied(loaded: LoadedSource, more: Partial<InventoryEntry> = {}): ReadonlyMap<string, InventoryEntry> {
  return new Map(
    loaded.objects.map((object) => [
      keyText(object.key),
      {
        key: object.key,
        uid: `uid-${object.key.name}`,
        generation: 1,
        path: object.origin.path,
        document: object.stated,
        ...more,
      },
    ]),
  );
}

const plan = (
  loaded: LoadedSource,
  inventory: ReadonlyMap<string, InventoryEntry>,
  more: Partial<SyncInput> = {},
): SyncPlan => planSync({ revision: REVISION, loaded, inventory, ...more });
const pools = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`manifests/p${index}.yaml`, poolText(`p${index}`)]));

function names(made: SyncPlan) {
  const of = (list: readonly { readonly key: { readonly name: string } }[]) => list.map((one) => one.key.name);
  return {
    creates: of(made.creates),
    updates: of(made.updates.map((one) => one.object)),
    unchanged: of(made.unchanged.map((one) => one.object)),
    prunes: of(made.prunes),
    kept: made.kept.map((one) => `${one.entry.key.name} ${one.reason}`),
  };
}

describe("planSync", () => {
  test("given a first sync, when planned, then all is created, Rigs first", () => {
    expect(names(plan(source({ "a.yaml": poolText("crew"), "b.yaml": rigText("api") }), new Map())).creates).toEqual([
      "api",
      "crew",
    ]);
  });

  test("given a change, a move, a comment and a removal, when planned, then only what matters is done", () => {
    const before = source({
      "a.yaml": poolText("changed"),
      "b.yaml": poolText("moved"),
      "c.yaml": poolText("commented"),
      "d.yaml": poolText("removed"),
    });
    const after = source({
      "a.yaml": poolText("changed", 2),
      "x/b.yaml": poolText("moved"),
      "c.yaml": `# why\n${poolText("commented")}`,
      "e.yaml": poolText("new"),
    });
    expect(names(plan(after, applied(before)))).toEqual({
      creates: ["new"],
      updates: ["changed"],
      unchanged: ["commented", "moved"],
      prunes: ["removed"],
      kept: [],
    });
  });

  test("given a file that became unreadable, when planned, then its objects are neither updated nor pruned", () => {
    const before = source({ "a.yaml": `${poolText("one")}---\n${poolText("two")}`, "b.yaml": poolText("three") });
    for (const broken of [
      "\0",
      poolText("one").replace("name: one", "name: [") + "---\nx: [",
      `${"x".repeat(1024 * 1024 + 1)}`,
    ]) {
      const made = plan(source({ "a.yaml": broken, "b.yaml": poolText("three") }), applied(before));
      expect(names(made)).toMatchObject({ prunes: [], kept: ["one Unreadable", "two Unreadable"] });
      expect(made.kept[0]?.message).toContain("a.yaml");
    }
  });

  test("given a moved and broken document that names nothing, when planned, then nothing missing is pruned", () => {
    const before = source({ "a.yaml": poolText("one"), "b.yaml": poolText("two") });
    expect(names(plan(source({ "new.yaml": "kind: [", "b.yaml": poolText("two") }), applied(before))).prunes).toEqual(
      [],
    );
  });

  test("given a foreign file that is never readable, when planned, then it does not keep others from being pruned", () => {
    const before = source({ "a.yaml": poolText("one"), "b.yaml": poolText("two") });
    expect(
      names(plan(source({ "kustomization.yaml": "kind: Kustomization\n", "b.yaml": poolText("two") }), applied(before)))
        .prunes,
    ).toEqual(["one"]);
  });

  test("given two documents for one object, when planned, then it stays as it is", () => {
    const before = source({ "a.yaml": poolText("one") });
    expect(
      names(plan(source({ "a.yaml": poolText("one", 2), "b.yaml": poolText("one", 3) }), applied(before))),
    ).toEqual({ creates: [], updates: [], unchanged: [], prunes: [], kept: ["one Unreadable"] });
  });

  test("given an empty source, when planned, then nothing is pruned until a person allows that revision", () => {
    const inventory = applied(source({ "a.yaml": poolText("one") }));
    const held = plan(source({}), inventory);
    expect([held.prunes, held.held?.reason]).toEqual([[], "SourceEmpty"]);
    expect(held.held?.hint).toContain("--allow-prune=0123456789ab");
    expect(names(plan(source({}), inventory, { allowPrune: "0123456789ab" })).prunes).toEqual(["one"]);
    expect(names(plan(source({}), inventory, { allowPrune: "fedcba9876" })).prunes).toEqual([]);
    expect(names(plan(source({}), inventory, { allowPrune: "0" })).prunes).toEqual([]);
  });

  test("given that a Rig would go, when planned, then prunes wait and the rest goes on", () => {
    const before = source({ "a.yaml": rigText("api"), "b.yaml": poolText("crew") });
    const made = plan(source({ "b.yaml": poolText("crew", 2) }), applied(before));
    expect(names(made)).toMatchObject({ updates: ["crew"], prunes: [], kept: ["api PruneHeld"] });
    expect(made.held?.message).toBe("applying 0123456789ab would remove Rig/api");
  });

  test.each([
    { because: "five are not more than five", total: 6, remain: 1, held: false },
    { because: "six of twenty are 30 %", total: 20, remain: 14, held: false },
    { because: "six of nineteen are more than 30 %", total: 19, remain: 13, held: true },
    { because: "most of many", total: 100, remain: 20, held: true },
  ])("given that $because, when planned, then the prune is held: $held", ({ total, remain, held }) => {
    const made = plan(source(pools(remain)), applied(source(pools(total))));
    expect(made.held !== undefined).toBe(held);
    expect(made.prunes).toHaveLength(held ? 0 : total - remain);
  });

  test("given deletions asked for through the API, when planned, then no guard stops them, also of the last object", () => {
    const before = source({ "a.yaml": rigText("api") });
    expect(names(plan(source({}), applied(before), { deleting: new Set(["Rig/api"]) }))).toMatchObject({
      prunes: ["api"],
      kept: [],
    });
  });

  test("given the annotation, when the document goes, then the object stays", () => {
    const kept = poolText("crew").replace("metadata:\n", "metadata:\n  annotations: {town.dev/prune: disabled}\n");
    const before = source({ "a.yaml": kept, "b.yaml": poolText("x") });
    expect(names(plan(source({ "b.yaml": poolText("x") }), applied(before))).kept).toEqual(["crew PruneDisabled"]);
  });

  test("given an object that is terminating, when its document returns, then it waits for the former one to go", () => {
    const before = source({ "a.yaml": poolText("crew"), "b.yaml": poolText("x") });
    const inventory = new Map(
      [...applied(before)].map(([key, entry]) => [key, { ...entry, deletionTimestamp: "2030-01-01T00:00:00Z" }]),
    );
    const made = plan(source({ "a.yaml": poolText("crew") }), inventory);
    expect(made.waiting.map((one) => one.object.key.name)).toEqual(["crew"]);
    expect(made.terminating.map((entry) => entry.key.name)).toEqual(["x"]);
    expect(made.prunes).toEqual([]);
  });

  test("given a name that another truth has, when planned, then it is refused with its place", () => {
    const made = plan(source({ "a.yaml": poolText("crew") }), new Map(), {
      takenBy: (key) => (key.name === "crew" ? "source other" : undefined),
    });
    expect(made.creates).toEqual([]);
    expect(made.problems).toMatchObject([{ path: "a.yaml", line: 4, reason: "NameTaken", key: { name: "crew" } }]);
  });

  test("given any two states, when planned, then every object is in exactly one list and a second sync does nothing", () => {
    const state = fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e"), fc.nat(2), { noNullPrototype: true });
    fc.assert(
      fc.property(state, state, (from, to) => {
        const load = (pool: Readonly<Record<string, number>>) =>
          source(
            Object.fromEntries(
              Object.entries(pool).map(([name, replicas]) => [`${name}.yaml`, poolText(name, replicas)]),
            ),
          );
        const [before, after] = [load(from), load(to)];
        const made = plan(after, applied(before));
        const listed = [
          ...made.creates,
          ...made.updates.map((one) => one.object),
          ...made.unchanged.map((one) => one.object),
        ].map((one) => one.key.name);
        expect(listed.sort()).toEqual(Object.keys(to).sort());
        expect([...made.prunes, ...made.kept.map((one) => one.entry)].map((one) => one.key.name).sort()).toEqual(
          Object.keys(from)
            .filter((name) => !Object.hasOwn(to, name))
            .sort(),
        );
        expect(names(plan(after, applied(after)))).toMatchObject({ creates: [], updates: [], prunes: [], kept: [] });
      }),
    );
  });
});
