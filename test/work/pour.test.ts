import { describe, expect, test } from "vitest";
import type { Formula } from "../../src/domain/formulas/formula.ts";
import { type BeadRecord, META } from "../../src/domain/work-graph/bead.ts";
import type { GraphReader } from "../../src/ports/work-graph.ts";
import { closeStep, currentStep, endMolecule, heldBy, moleculeOf, placeIn, stepsOf } from "../../src/work/molecule.ts";
import { pour } from "../../src/work/pour.ts";
import { library, step } from "../domain/formulas/cooking.ts";
import { graphWorld } from "../graph/graph-world.ts";

const BY = { actor: "overseer" };

async function poured(formula: Formula, fields: Partial<BeadRecord> = {}) {
  const { graph } = await (await graphWorld()).open();
  const bead = await graph.transact(BY, (tx) => tx.create({ title: "the work", priority: 1, ...fields }));
  const root = await graph.transact(BY, (tx) => pour(tx, formula, bead, "key"));
  const byName = (name: string): BeadRecord => {
    const found = stepsOf(graph, root.id).find((each) => each.metadata?.[META.step] === name);
    if (found === undefined) throw new Error(`no step ${name}`);
    return found;
  };
  return {
    graph,
    bead,
    root,
    byName,
    close: (name: string) => graph.transact(BY, (tx) => closeStep(tx, byName(name).id, undefined)),
    ready: () => names(graph, root.id),
  };
}

function names(graph: GraphReader, root: string): readonly unknown[] {
  return placeIn(graph, root).ready.map((each) => each.metadata?.[META.step]);
}

const NESTED = library({
  formula: "f",
  steps: [
    step("first"),
    step("both", {
      needs: ["first"],
      children: [step("x"), step("y"), step("deep", { children: [step("z", { needs: ["x"] })] })],
    }),
    step("last", { needs: ["both"] }),
  ],
});

describe("a poured molecule", () => {
  test("given every field, when poured, then the beads have them and the town's own keys are safe", async () => {
    const formula = library({
      formula: "f",
      metadata: { kind: "trial", "town.bead": "stolen" },
      steps: [
        {
          ...step("a", { title: "Do {{title}}", description: "for {{bead}}", notes: "N", type: "bug", priority: 0 }),
          labels: ["l"],
          assignee: "api/polecats/toast",
          acceptance: "done",
          metadata: { k: "v", "town.step": "stolen" },
        },
        step("b"),
      ],
    });
    const { root, bead, byName } = await poured(formula);
    expect(root).toMatchObject({
      title: "f: the work",
      issue_type: "molecule",
      priority: 1,
      metadata: { kind: "trial", "town.bead": bead.id },
    });
    expect(root.metadata?.["town.proto"]).toMatch(/^sha256:/);
    expect(byName("a")).toMatchObject({
      title: "Do the work",
      description: `for ${bead.id}`,
      notes: "N",
      issue_type: "bug",
      priority: 0,
      labels: ["l"],
      assignee: "api/polecats/toast",
      acceptance_criteria: "done",
      metadata: { k: "v" },
    });
    expect(byName("b")).toMatchObject({ priority: 1, issue_type: "task" });
  });

  test("given the same key, when poured again, then nothing is made", async () => {
    const { graph, bead, root } = await poured(NESTED);
    const before = graph.list().length;
    const again = await graph.transact(BY, (tx) => pour(tx, NESTED, bead, "key"));
    expect(again.id).toBe(root.id);
    expect(graph.list()).toHaveLength(before);
  });

  test("given a formula that cannot be cooked, when poured, then nothing is there", async () => {
    const formula = library({ formula: "f", vars: { v: { required: true } }, steps: [step("a")] });
    const { graph } = await (await graphWorld()).open();
    const bead = await graph.transact(BY, (tx) => tx.create({ title: "w" }));
    await expect(graph.transact(BY, (tx) => pour(tx, formula, bead, "key"))).rejects.toThrow(
      "variable 'v' is required",
    );
    expect(graph.list()).toHaveLength(1);
  });

  test("given nested steps, when closed one by one, then inner ones wait with the outer, which close by themselves", async () => {
    const { graph, root, byName, close, ready } = await poured(NESTED);
    expect(byName("both").issue_type).toBe("epic");
    expect(stepsOf(graph, root.id).map((each) => each.metadata?.[META.step])).toEqual([
      "first",
      "both",
      "x",
      "y",
      "deep",
      "z",
      "last",
    ]);
    expect(ready()).toEqual(["first"]);
    await expect(close("x")).rejects.toMatchObject({ reason: "NotItsTurn" });
    await close("first");
    expect(ready()).toEqual(["x", "y"]);
    await close("y");
    await close("x");
    expect(ready()).toEqual(["z"]);
    expect(moleculeOf(graph, byName("z").id)?.id).toBe(root.id);
    const { next } = await close("z");
    expect(next?.id).toBe(byName("last").id);
    expect(byName("deep").status).toBe("closed");
    expect(byName("both").status).toBe("closed");
    expect((await close("last")).next).toBeUndefined();
    expect((await close("last")).closed.status).toBe("closed");
  });

  test("given a human gate, when its step's turn comes, then the molecule says what holds it until the gate closes", async () => {
    const formula = library({
      formula: "f",
      steps: [step("a"), step("b", { needs: ["a"], gate: { type: "human", timeout: "1h30m" } })],
    });
    const { graph, root, close } = await poured(formula);
    const { next, heldBy: gates } = await close("a");
    expect(next).toBeUndefined();
    expect(gates).toMatchObject([{ issue_type: "gate", await_type: "human", timeout: 5_400_000_000_000 }]);
    expect(heldBy(graph, root.id)).toEqual(gates);
    await graph.transact(BY, (tx) => tx.close(gates[0]?.id ?? ""));
    expect(currentStep(graph, root.id)?.metadata?.[META.step]).toBe("b");
    expect(heldBy(graph, root.id)).toEqual([]);
  });

  test("given a gate on a bead, when that bead closes, then the step can be done", async () => {
    const { graph } = await (await graphWorld()).open();
    const other = await graph.transact(BY, (tx) => tx.create({ title: "other" }));
    const bead = await graph.transact(BY, (tx) => tx.create({ title: "w" }));
    const formula = library({ formula: "f", steps: [step("a", { gate: { type: "bead", id: other.id } })] });
    const root = await graph.transact(BY, (tx) => pour(tx, formula, bead, "key"));
    expect(names(graph, root.id)).toEqual([]);
    expect(heldBy(graph, root.id).map(({ id }) => id)).toEqual([other.id]);
    await graph.transact(BY, (tx) => tx.close(other.id));
    expect(names(graph, root.id)).toEqual(["a"]);
  });

  test("given a step that waits for the children of another, when beads are made below that one, then it waits for them", async () => {
    const formula = library({
      formula: "f",
      steps: [step("spawn"), step("gather", { waits_for: "children-of(spawn)", needs: ["spawn"] })],
    });
    const { graph, root, byName, close, ready } = await poured(formula);
    const child = await graph.transact(BY, (tx) => tx.create({ title: "part", parent: byName("spawn").id }));
    await close("spawn");
    expect(ready()).toEqual([]);
    expect(heldBy(graph, root.id).map(({ id }) => id)).toEqual([child.id]);
    await graph.transact(BY, (tx) => tx.close(child.id));
    expect(ready()).toEqual(["gather"]);
  });

  test("given a vapor formula, when poured, then it is a wisp; with pour, it is not", async () => {
    const wisp = await poured(library({ formula: "f", phase: "vapor", steps: [step("a")] }));
    expect(wisp.root.ephemeral).toBe(true);
    expect(wisp.byName("a").ephemeral).toBe(true);
    const kept = await poured(library({ formula: "f", phase: "vapor", pour: true, steps: [step("a")] }));
    expect(kept.root.ephemeral).toBeUndefined();
  });

  test("given open steps, inner ones and a gate, when ended, then all are closed", async () => {
    const formula = library({
      formula: "f",
      steps: [step("o", { children: [step("i")] }), step("g", { gate: { type: "human" } })],
    });
    const { graph, bead, root } = await poured(formula);
    await graph.transact(BY, (tx) => endMolecule(tx, root.id, "over"));
    expect(graph.list().filter(({ status, id }) => status !== "closed" && id !== bead.id)).toEqual([]);
  });

  test("given a chain of 1,025 steps, when poured, then all are there in order", async () => {
    const formula = library({
      formula: "f",
      steps: Array.from({ length: 1025 }, (_, index) =>
        step(`s${index}`, index === 0 ? {} : { needs: [`s${index - 1}`] }),
      ),
    });
    const { graph, root, ready } = await poured(formula);
    expect(stepsOf(graph, root.id).at(-1)?.metadata?.[META.step]).toBe("s1024");
    expect(ready()).toEqual(["s0"]);
  });
});
