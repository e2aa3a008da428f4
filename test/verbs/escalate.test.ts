import { beforeEach, describe, expect, test } from "vitest";
import { escalateVerb } from "../../src/verbs/escalate.ts";
import { projectEscalation } from "../../src/kinds/escalation/escalation.project.ts";
import { overseer, verbWorld, type VerbWorld } from "./verb-world.ts";

let world: VerbWorld;
beforeEach(async () => {
  world = await verbWorld();
});

describe("town escalate", () => {
  test("given a session with work, when it escalates, then the escalation names its bead and itself", async () => {
    const toast = await world.agent("api/polecats/toast");
    const bead = await world.graph("api").transact({ actor: "loop/pools" }, (tx) => {
      const made = tx.create({ title: "the work" });
      return tx.claim(made.id, toast.name, { status: "hooked" });
    });
    const { data } = await world.run(escalateVerb, toast, { message: "which\u001b API?\nmore", severity: "high" });
    const record = world.graph("api").get((data as { id: string }).id);
    expect(record === undefined ? undefined : projectEscalation(record).spec).toMatchObject({
      title: "which API?",
      text: "which API?\nmore",
      severity: 1,
      bead: bead.id,
      agent: "api/polecats/toast",
    });
  });

  test("given a person, when nothing is said or the bead is unknown, then it is refused; else it is the town's", async () => {
    await expect(world.run(escalateVerb, overseer, { message: " " })).rejects.toMatchObject({ reason: "BadRequest" });
    await expect(world.run(escalateVerb, overseer, { message: "x", bead: "api-none" })).rejects.toMatchObject({
      reason: "NotFound",
    });
    const { data } = await world.run(escalateVerb, overseer, { message: "disk is full", severity: "critical" });
    expect((data as { id: string }).id).toMatch(/^hq-/);
  });
});
