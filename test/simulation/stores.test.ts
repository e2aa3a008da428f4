import { describe, expect, it } from "vitest";
import { bdVerb } from "../../src/daemon/bd-verb.ts";
import { Errands, WEB } from "../../src/simulation/errands.ts";
import { askedByPerson } from "../../src/simulation/person.ts";
import { convoyClosed, runChaos } from "../../src/simulation/town-chaos.ts";
import type { TownWorld } from "../../src/simulation/town-world.ts";
import { escalateVerb } from "../../src/verbs/escalate.ts";
import { mailSendVerb } from "../../src/verbs/mail-writing.ts";
import { slingVerb } from "../../src/verbs/sling.ts";
import { crewPool, manifests, world } from "./sample-world.ts";

const SEEDS = Array.from(
  { length: Number(process.env["TOWN_SEEDS"] ?? 1) },
  (_, index) => Number(process.env["TOWN_SEED"] ?? 1) + index,
);

const inWeb = (text: string): string => text.replaceAll("namespace: api", "namespace: web");

/** A town with the rigs `api` and `web`, and a convoy whose items are in both. */
async function twoRigs(seed: number): Promise<TownWorld> {
  const api = manifests(1);
  const town = await world(
    seed,
    {
      ...api,
      "web.yaml": `apiVersion: town.dev/v1alpha1\nkind: Rig\nmetadata: { name: web }\nspec:\n  path: ${WEB}\n  merge: { gates: [{ name: test, command: check }] }\n`,
      "web-polecats.yaml": inWeb(api["polecats.yaml"] ?? ""),
      "web-crew.yaml": inWeb(crewPool(1)),
      "convoy.yaml": `apiVersion: town.dev/v1alpha1
kind: Convoy
metadata: { name: work, namespace: hq }
spec:
  items:
    - { name: one, rig: api, title: One, description: "write one.txt 1" }
    - { name: two, rig: web, title: Two, description: "write two.txt 2", dependsOn: [one] }
    - { name: three, rig: api, title: Three, description: "write three.txt 3", dependsOn: [two] }
`,
    },
    {
      verbs: (ports, graphs) => [
        bdVerb({ ports, graphs, version: "1.0.0" }),
        slingVerb(ports),
        mailSendVerb(ports),
        escalateVerb(ports),
      ],
    },
  );
  const project = await town.git.init(WEB, { bare: false, branch: "main" });
  await town.git.writeFile(WEB, "README.md", "web\n");
  const author = { name: "Owner", email: "owner@example.org" };
  await project.commitAll(WEB, "begin\n", author, author);
  return town;
}

const sayIn =
  (town: TownWorld) =>
  async (verb: string, args: Readonly<Record<string, unknown>>): Promise<string> => {
    const answer = askedByPerson(town, verb, args);
    await town.clock.advance(500);
    return (await answer)?.text ?? "";
  };

describe("operations over several stores", () => {
  it.each(
    SEEDS,
  )("given seed %i, when the town dies in the midst of them and they are asked for again, then each is done, once", async (seed) => {
    const town = await twoRigs(seed);
    const errands = new Errands(town, 5);
    const more = Array.from({ length: 12 }, () => errands.fault);
    const { faults } = await runChaos(town, { meanGapMs: 1_500, faultsUntilMs: 90_000, limitMs: 3_600_000, more });
    expect(faults.filter((fault) => /request|answer/.test(fault)).length).toBeGreaterThan(0);
    await errands.finish();
    await errands.check();
    expect(convoyClosed(town)).toBe(true);
  });

  it("given a bead that waits for one of another rig, when that is merged, then it is taken within a second", async () => {
    const town = await twoRigs(1);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 600_000);
    const say = sayIn(town);
    const first = await say("bd", { argv: ["create", "First", "-d", "write a.txt 1", "--silent", "--rig", "api"] });
    const second = await say("bd", {
      argv: ["create", "Second", "-d", "write b.txt 1", "--deps", first, "--silent", "--rig", "web"],
    });
    await say("sling", { beads: [second, first] });
    const { graphs } = town.controller.ports;
    await town.clock.runUntil(() => graphs.graph("api")?.get(first)?.status === "closed", 600_000);
    await town.clock.runUntil(() => graphs.graph("web")?.get(second)?.status === "hooked", 1_000);
  });

  it("given a bead that waits for one of another rig, when the town is started and cannot open the other store, then it is not taken", async () => {
    const town = await twoRigs(1);
    await town.start();
    await town.clock.runUntil(() => convoyClosed(town), 600_000);
    const say = sayIn(town);
    const [first, second] = [
      await say("bd", { argv: ["create", "First", "--silent", "--rig", "web"] }),
      await say("bd", { argv: ["create", "Second", "--silent", "--rig", "api"] }),
    ];
    await say("bd", { argv: ["dep", "add", second, first] });
    await say("sling", { beads: [second] });
    for (let starts = 0; starts < 2; starts += 1) {
      town.controller.life.end();
      await town.clock.advance(1_000);
      const lift = town.disk.inject({ code: "EIO", below: "/town/.git/town/rigs/web.git" });
      const starting = town.start();
      await town.clock.advance(10_000);
      await starting;
      lift();
      expect(town.controller.ports.graphs.graph("api")?.get(second)).toMatchObject({ status: "open", title: "Second" });
    }
  });
});
