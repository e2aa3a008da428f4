import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { executeAgent } from "../../../../src/kinds/agent/agent.execute.ts";
import { type AgentObject, observeAgent } from "../../../../src/kinds/agent/agent.observe.ts";
import type { RigObject } from "../../../../src/kinds/rig/rig.schema.ts";
import { declareAgent } from "../../../../src/work/agent-record.ts";
import { TownSite } from "../../town-site.ts";

const RIG = { kind: "Rig", name: "api" };

describe("sandboxes in reserve, on real git", () => {
  let site: TownSite;
  let project: string;

  beforeEach(async () => {
    site = await TownSite.make();
    project = site.repository("project");
    site.commit(project, { ".gitignore": "/made\n", "deps.lock": "1\n" });
    await site.declare("Role", undefined, "polecat", { lifecycle: "Ephemeral", prompt: "x", plural: "polecats" });
  });

  afterEach(() => site.end());

  const reserveDirectory = (): string => site.ports.layout.reserve("api");
  const names = (): readonly string[] => (existsSync(reserveDirectory()) ? readdirSync(reserveDirectory()).sort() : []);
  const status = (): RigObject["status"] => (site.store.get(RIG) as RigObject | undefined)?.status;

  /** The set-up waits until it is let go on: it is as slow as the test wants. */
  const COMMAND = "cat deps.lock > made; until [ -e ../../../../go ]; do sleep 0.05; done";

  async function rig(setup: object): Promise<void> {
    await site.declare("Rig", undefined, "api", { path: project, setup });
    await site.settle("rigs", RIG);
    await site.settle("reserves", RIG);
  }

  async function fetched(): Promise<void> {
    site.later(3_600_000);
    await site.settle("rigs", RIG);
    await site.settle("reserves", RIG);
  }

  async function ready(count: number): Promise<void> {
    for (const end = Date.now() + 30_000; status()?.reserve !== count && Date.now() < end; await sleep(50))
      await site.settle("reserves", RIG);
    expect(status()?.reserve).toBe(count);
  }

  function go(): void {
    writeFileSync(join(site.town, "go"), "");
  }

  async function agentWith(name: string, bead: string): Promise<AgentObject> {
    const identity = `api/polecats/${name}`;
    const spec = { identity, role: "polecat", pool: "pool", desired: "OnWork" as const };
    await site.ports.graphs.graph("api")?.transact({ actor: "pat" }, (tx) => {
      declareAgent(tx, "api", { name, ...spec });
      tx.create({ id: bead, title: bead });
      tx.claim(bead, identity, { status: "hooked" });
    });
    const metadata = { name, namespace: "api", uid: name, resourceVersion: "1", generation: 1, creationTimestamp: "" };
    return { apiVersion: "work.town.dev/v1alpha1", kind: "Agent", metadata, spec };
  }

  const ensure = (of: AgentObject, bead: string): Promise<void> =>
    executeAgent({ do: "EnsureSandbox", bead }, of, site.ports);
  const setUp = async (of: AgentObject): Promise<string> => (await observeAgent(of, site.ports)).sandbox.setUp.state;
  const path = (of: AgentObject): string => site.ports.layout.sandbox("api", "polecats", of.metadata.name);

  it("given a slow set-up and one in reserve, when an agent starts, then it has a sandbox that is set up without any waiting", async () => {
    await rig({ command: COMMAND, reserve: 1 });
    expect(names()).toEqual(["1"]);
    expect(status()?.reserve).toBe(0);
    const early = await agentWith("early", "api-1");
    await ensure(early, "api-1");
    // One that is not ready is not taken.
    expect(await setUp(early)).toBe("Needed");
    go();
    await ready(1);
    rmSync(join(site.town, "go"));

    const toast = await agentWith("toast", "api-2");
    await ensure(toast, "api-2");
    expect(await setUp(toast)).toBe("Done");
    expect(readFileSync(join(path(toast), "made"), "utf8")).toBe("1\n");
    expect(site.run(path(toast), "symbolic-ref", "HEAD").trim()).toBe("refs/heads/town/agents/api/toast/api-2");
    expect(site.run(path(toast), "status", "--porcelain")).toBe("");
    expect(site.events("toast")).toContain("ReserveTaken");
    // As after a plan that was made before one was taken: nothing runs.
    await executeAgent({ do: "SetUp", bead: "api-2" }, toast, site.ports);
    expect(await setUp(toast)).toBe("Done");

    await site.settle("reserves", RIG);
    expect(names()).toEqual(["1"]);
    expect(status()?.reserve).toBe(0);
    go();
    await ready(1);
  });

  it("given inputs, when the base moves, then the reserve stays until one of them changes, and then is made anew", async () => {
    go();
    await rig({ command: COMMAND, reserve: 1, inputs: ["deps.lock"] });
    await ready(1);
    site.commit(project, { "code.txt": "new\n" });
    await fetched();
    expect(status()?.reserve).toBe(1);
    const first = await agentWith("first", "api-1");
    await ensure(first, "api-1");
    expect(await setUp(first)).toBe("Done");
    expect(readFileSync(join(path(first), "code.txt"), "utf8")).toBe("new\n");

    await site.settle("reserves", RIG);
    await ready(1);
    site.commit(project, { "deps.lock": "2\n" });
    await fetched();
    await ready(1);
    expect(site.events("api")).toContain("ReserveRemoved");
    const second = await agentWith("second", "api-2");
    await ensure(second, "api-2");
    expect(readFileSync(join(path(second), "made"), "utf8")).toBe("2\n");
  });

  it("given two agents at once and one in reserve, when both start, then one has it and the other one of its own", async () => {
    go();
    await rig({ command: COMMAND, reserve: 1 });
    await ready(1);
    const agents = [await agentWith("a", "api-1"), await agentWith("b", "api-2")];
    await Promise.all(agents.map((each, index) => ensure(each, `api-${index + 1}`)));
    const states = await Promise.all(agents.map(setUp));
    expect(states.sort()).toEqual(["Done", "Needed"]);
    for (const each of agents) expect(existsSync(join(path(each), "deps.lock"))).toBe(true);
  });

  it("given a reserve that is asked for no more, or a town without disk, when looked at, then it goes, or none is made", async () => {
    go();
    await rig({ command: COMMAND, reserve: 2 });
    await ready(2);
    await rig({ command: COMMAND, reserve: 1 });
    expect(names()).toEqual(["1"]);
    site.freeBytes = 1;
    await rig({ command: "true", reserve: 2 });
    expect(names()).toEqual([]);
    expect(status()?.reserve).toBe(0);
    await rig({ command: COMMAND });
    expect(status()?.reserve).toBeUndefined();
  });

  it("given a reserve that was deleted by hand, or cut short by a kill, when looked at, then it is made up", async () => {
    go();
    await rig({ command: COMMAND, reserve: 1 });
    await ready(1);
    rmSync(join(reserveDirectory(), "1"), { recursive: true });
    await site.settle("reserves", RIG);
    await ready(1);
    // Killed after the move and before the set-up was noted: it is done once more, and nothing is lost.
    const record = join(site.ports.layout.state, "sandboxes/api/toast.json");
    const toast = await agentWith("toast", "api-1");
    await ensure(toast, "api-1");
    rmSync(record);
    await site.start();
    await rig({ command: COMMAND, reserve: 1 });
    expect(await setUp(toast)).toBe("Needed");
    await ready(1);
  });
});
