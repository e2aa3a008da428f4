import { beforeEach, describe, expect, it } from "vitest";
import { META } from "../../src/domain/work-graph/bead.ts";
import { closeVerb } from "../../src/verbs/close.ts";
import { molVerb } from "../../src/verbs/molecule.ts";
import { doneVerb } from "../../src/verbs/done.ts";
import { stepsOf } from "../../src/work/molecule.ts";
import { pour } from "../../src/work/pour.ts";
import { library, step } from "../domain/formulas/cooking.ts";
import { type VerbSite, verbSite } from "./verb-site.ts";

const PLAN = library({
  formula: "plan",
  steps: [
    step("first"),
    step("checks", { needs: ["first"], children: [step("x", { parallel: true }), step("y", { parallel: true })] }),
    step("ship", { needs: ["checks"], gate: { type: "human" } }),
  ],
});

describe("town mol current", () => {
  let site: VerbSite;
  let molecule: string;
  beforeEach(async () => {
    site = await verbSite();
    const bead = await site.bead({ title: "w" });
    const root = await site.api.transact({ actor: "x" }, (tx) => pour(tx, PLAN, bead, "key"));
    molecule = root.id;
  });
  const idOf = (name: string): string =>
    stepsOf(site.api, molecule).find((each) => each.metadata?.[META.step] === name)?.id ?? "";
  const close = (name: string) => site.call(closeVerb(site.ports), { ids: [idOf(name)], continue: true });
  const shown = async () =>
    (await site.call(molVerb("current", site.ports), { id: molecule })).text
      .split("\n")
      .map((line) => line.replaceAll(molecule, "M"));

  it("given inner steps and a gate, when asked on the way, then it shows what is done, what can be, and what holds the rest", async () => {
    expect(await shown()).toEqual([
      "M: 0 of 5 steps closed",
      "  → first  M.1  first",
      "  · checks  M.2  checks",
      "    · x  M.2.1  x  (beside the others)",
      "    · y  M.2.2  y  (beside the others)",
      expect.stringMatching(/^ {2}· ship {2}M\.\d {2}ship$/),
    ]);
    await close("first");
    expect((await shown()).slice(3, 5)).toEqual([
      "    → x  M.2.1  x  (beside the others)",
      "    ○ y  M.2.2  y  (beside the others)",
    ]);
    await close("y");
    const last = await close("x");
    expect(last.text).toMatch(
      /The steps left wait for \S+ \(Gate of ship: human\); now: town done --outcome Blocked --on/,
    );
    expect(last.data).toMatchObject({ continue: { molecule_complete: false } });
    expect((await shown()).at(-1)).toMatch(/^No step can be done; those left wait for M\.\d: Gate of ship: human$/);
  });

  it("given a gate that holds a step, when an agent hands in, then it is told to wait for the gate instead", async () => {
    const work = await site.hooked();
    await site.api.transact({ actor: "x" }, (tx) => {
      const root = pour(tx, PLAN, work, "other");
      tx.setMetadata(work.id, { [META.molecule]: root.id });
    });
    await site.git.writeFile(site.sandbox, "a.txt", "a");
    const done = site.call(doneVerb(site.ports), { commitAll: true }, await site.caller());
    await expect(done).rejects.toMatchObject({
      reason: "StepsWait",
      hint: expect.stringContaining("--outcome Blocked --on"),
    });
  });
});
