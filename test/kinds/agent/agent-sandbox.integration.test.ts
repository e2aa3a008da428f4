import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { executeAgent } from "../../../src/kinds/agent/agent.execute.ts";
import { type AgentObject, observeAgent } from "../../../src/kinds/agent/agent.observe.ts";
import type { AgentAction } from "../../../src/kinds/agent/agent.plan.ts";
import { META } from "../../../src/domain/work-graph/bead.ts";
import { AGENT, declareAgent } from "../../../src/work/agent-record.ts";
import type { WorkGraph } from "../../../src/ports/work-graph.ts";
import { TownSite } from "../town-site.ts";

const PAT = { actor: "pat" };

describe("sandboxes on real git", () => {
  let site: TownSite;
  let project: string;

  beforeEach(async () => {
    site = await TownSite.make();
    project = site.repository("project");
    await site.declare("Role", undefined, "polecat", { lifecycle: "Ephemeral", prompt: "x", plural: "polecats" });
    await site.declare("Role", undefined, "crew", { lifecycle: "Persistent", prompt: "x", plural: "crew" });
  });

  afterEach(() => site.end());

  async function rig(spec: object = {}): Promise<void> {
    await site.declare("Rig", undefined, "api", { path: project, ...spec });
    await site.settle("rigs", { kind: "Rig", name: "api" });
  }

  const graph = (namespace = "api"): WorkGraph => {
    const found = site.ports.graphs.graph(namespace);
    if (found === undefined) throw new Error(`no graph of ${namespace}`);
    return found;
  };

  function agent(name: string, role = "polecat", namespace = "api"): AgentObject {
    return {
      apiVersion: "work.town.dev/v1alpha1",
      kind: "Agent",
      metadata: {
        name,
        namespace,
        uid: name,
        resourceVersion: "1",
        generation: 1,
        creationTimestamp: "2026-01-01T00:00:00Z",
      },
      spec: { identity: `${namespace}/${role}s/${name}`, role, pool: "pool", desired: "OnWork" },
    };
  }

  async function hook(id: string, of: AgentObject): Promise<void> {
    const { namespace = "hq", name } = of.metadata;
    await graph(namespace).transact(PAT, (tx) => {
      const { identity, role, pool } = of.spec;
      declareAgent(tx, namespace, { name, identity, role, pool, desired: "OnWork" });
      if (tx.get(id) === undefined) tx.create({ id, title: id });
      tx.claim(id, of.spec.identity, { status: "hooked" });
    });
  }

  const act = (of: AgentObject, action: AgentAction) => executeAgent(action, of, site.ports);
  const ensure = (of: AgentObject, bead: string | undefined) => act(of, { do: "EnsureSandbox", bead });
  const remove = (of: AgentObject) => act(of, { do: "RemoveSandbox", reason: "test" });
  const path = (of: AgentObject) =>
    site.ports.layout.sandbox(
      of.metadata.namespace ?? "hq",
      of.spec.role === "crew" ? "crew" : "polecats",
      of.metadata.name,
    );
  const clone = () => site.ports.layout.clone("api");
  const setUp = async (of: AgentObject) => (await observeAgent(of, site.ports)).sandbox.setUp;

  async function setUpEnded(of: AgentObject): Promise<string> {
    for (;;) {
      const found = await setUp(of);
      if (found.state !== "Running") return found.state;
      await sleep(20);
    }
  }

  describe("set-up", () => {
    const toast = agent("toast");
    const begin = async (command: string, more: object = {}): Promise<void> => {
      await rig({ setup: { command, ...more } });
      await hook("api-1", toast);
      expect(await setUp(toast)).toMatchObject({ state: "Needed" });
      await ensure(toast, "api-1");
      await act(toast, { do: "SetUp", bead: "api-1" });
    };

    it("given a set-up command, when it ran, then it ran once, outside of git's sight, with its output kept", async () => {
      await begin("echo ran >> ../ran.txt; echo hello");
      expect(await setUpEnded(toast)).toBe("Done");
      expect(readFileSync(join(path(toast), "../ran.txt"), "utf8")).toBe("ran\n");
      expect(readFileSync(join(site.ports.layout.state, "log/setup-api-toast.log"), "utf8")).toBe("hello\n");
      expect(site.run(path(toast), "status", "--porcelain")).toBe("");
      await site.start();
      await rig({ setup: { command: "echo ran >> ../ran.txt; echo hello" } });
      expect(await setUp(toast)).toEqual({ state: "Done" });
    });

    it("given a command that fails, when it ended, then the agent says why and it is tried again later", async () => {
      await begin("echo broken; exit 3");
      await setUpEnded(toast);
      expect(await setUp(toast)).toMatchObject({
        state: "Failed",
        message: expect.stringMatching(/ended with 3; see .*setup-api-toast\.log/) as string,
      });
      expect(site.events("toast")).toContain("SetUpFailed");
      site.later(10_000);
      expect(await setUp(toast)).toMatchObject({ state: "Needed" });
    });

    it("given a command that hangs, when its time is over, then it is ended with all that it started", async () => {
      await begin("sleep 60 & echo $! > ../pid; wait", { timeout: "500ms" });
      await setUpEnded(toast);
      expect(await setUp(toast)).toMatchObject({ state: "Failed" });
      const pid = Number(readFileSync(join(path(toast), "../pid"), "utf8"));
      expect(await site.processes.identify(pid)).toBeUndefined();
    });

    it("given a controller killed during a set-up, when another looks, then what was left is ended and it runs anew", async () => {
      await begin("echo ran >> ../ran.txt; [ -e ../second ] || sleep 60");
      while (!existsSync(join(path(toast), "../ran.txt"))) await sleep(20);
      const records = join(site.ports.layout.state, "sandboxes/api");
      const record = JSON.parse(readFileSync(join(records, "toast.json"), "utf8")) as {
        run: string;
        controller: object;
      };
      const { process } = JSON.parse(readFileSync(join(records, `toast.setup-${record.run}.json`), "utf8")) as {
        process: { pid: number };
      };
      writeFileSync(
        join(records, "toast.json"),
        JSON.stringify({ ...record, controller: { ...record.controller, pid: 1 } }),
      );
      expect(await setUp(toast)).toMatchObject({ state: "Needed" });
      writeFileSync(join(path(toast), "../second"), "");
      await act(toast, { do: "SetUp", bead: "api-1" });
      expect(await setUpEnded(toast)).toBe("Done");
      expect(await site.processes.identify(process.pid)).toBeUndefined();
    });

    it("given a set-up that still runs, when the sandbox is removed, then it is ended and leaves no record", async () => {
      await begin("sleep 60");
      await remove(toast);
      expect(existsSync(path(toast))).toBe(false);
      await sleep(100);
      expect(existsSync(join(site.ports.layout.state, "sandboxes/api/toast.json"))).toBe(false);
    });
  });

  describe("files that git does not have", () => {
    const toast = agent("toast");

    it("given a file to put in, when work is rescued, then the file was there and is in no commit", async () => {
      writeFileSync(join(project, ".env"), "KEY=value\n");
      mkdirSync(join(site.town, "shared"));
      writeFileSync(join(site.town, "shared/local settings.json"), "{}\n");
      await rig({
        setup: {
          files: [{ path: ".env" }, { path: "config/local settings.json", from: "shared/local settings.json" }],
        },
      });
      await hook("api-1", toast);
      await ensure(toast, "api-1");
      expect(readFileSync(join(path(toast), ".env"), "utf8")).toBe("KEY=value\n");
      expect(existsSync(join(path(toast), "config/local settings.json"))).toBe(true);
      writeFileSync(join(path(toast), "work.txt"), "work\n");
      site.run(path(toast), "add", "--all");
      await remove(toast);
      const rescue = site.run(clone(), "for-each-ref", "--format=%(refname)", "refs/town/rescue");
      expect(site.run(clone(), "ls-tree", "-r", "--name-only", rescue)).toBe("README.md\nwork.txt");
    });

    it("given a file that the commit has, when the sandbox is made, then it stays as committed", async () => {
      site.commit(project, { "settings.json": "committed\n" });
      writeFileSync(join(project, "settings.json"), "local\n");
      await rig({ setup: { files: [{ path: "settings.json" }] } });
      await hook("api-1", toast);
      await ensure(toast, "api-1");
      expect(readFileSync(join(path(toast), "settings.json"), "utf8")).toBe("committed\n");
    });

    it("given a file that is not there, when the sandbox is made, then the error names it and the field", async () => {
      await rig({ setup: { files: [{ path: ".env" }] } });
      await hook("api-1", toast);
      await expect(ensure(toast, "api-1")).rejects.toMatchObject({
        reason: "SandboxFileMissing",
        message: expect.stringContaining(`${project}/.env`) as string,
        hint: expect.stringContaining("spec.setup.files") as string,
      });
    });

    it.each([
      "../out",
      "/etc/passwd",
      ".git/config",
      "a/../../b",
      "dir/",
    ])("given the path %s, when the rig is read, then it is refused", async (file) => {
      await expect(rig({ setup: { files: [{ path: file }] } })).rejects.toThrow("must be a relative path");
    });
  });

  describe("making", () => {
    it("given many agents at once, when their sandboxes are made, then each has its own branch", async () => {
      await rig();
      const names = ["a", "b", "c", "d", "e", "f"];
      for (const name of names) await hook(`api-${name}`, agent(name));
      await Promise.all(names.map((name) => ensure(agent(name), `api-${name}`)));
      for (const name of names)
        expect(site.run(path(agent(name)), "symbolic-ref", "HEAD")).toBe(
          `refs/heads/town/agents/api/${name}/api-${name}`,
        );
    });

    it("given a session killed in the middle of a commit, when the next one starts, then no lock is in its way", async () => {
      await rig();
      await hook("api-1", agent("toast"));
      await ensure(agent("toast"), "api-1");
      writeFileSync(join(clone(), "worktrees/toast/index.lock"), "");
      await ensure(agent("toast"), "api-1");
      site.commit(path(agent("toast")), { a: "1\n" });
    });

    it("given an agent that keeps its sandbox, when tasks come and go, then it stays on its own branch and follows the target", async () => {
      await rig();
      const crew = agent("joe", "crew");
      await ensure(crew, undefined);
      const branch = () => site.run(path(crew), "symbolic-ref", "HEAD");
      expect(branch()).toBe("refs/heads/town/agents/api/joe/home");
      writeFileSync(join(path(crew), "notes.txt"), "mine\n");
      const target = site.commit(project, { b: "1\n" });
      site.later(600_000);
      await site.settle("rigs", { kind: "Rig", name: "api" });
      await hook("api-1", crew);
      await ensure(crew, "api-1");
      expect(branch()).toBe("refs/heads/town/agents/api/joe/home");
      expect(readFileSync(join(path(crew), "notes.txt"), "utf8")).toBe("mine\n");
      expect(site.run(path(crew), "rev-parse", "HEAD")).toBe(target);
      expect(graph().get("api-1")?.metadata?.[META.sandbox]).toMatchObject({ agent: "joe", base: target });
      const own = site.commit(path(crew), { c: "1\n" });
      site.commit(project, { d: "1\n" });
      site.later(600_000);
      await site.settle("rigs", { kind: "Rig", name: "api" });
      await ensure(crew, undefined);
      expect(site.run(path(crew), "rev-parse", "HEAD")).toBe(own);
    });

    it("given an agent of hq, when its sandbox is made, then it is on a branch of its own and the town's checkout is left alone", async () => {
      writeFileSync(join(site.town, "manifests/README.md"), "being edited\n");
      const mayor = agent("mayor", "crew", "hq");
      await hook("hq-1", mayor);
      await ensure(mayor, "hq-1");
      expect(path(mayor)).not.toBe(site.town);
      expect(site.run(path(mayor), "symbolic-ref", "HEAD")).toBe("refs/heads/town/agents/hq/mayor/home");
      expect(readFileSync(join(path(mayor), "manifests/README.md"), "utf8")).toBe("town\n");
      expect(site.run(site.town, "symbolic-ref", "HEAD")).toBe("refs/heads/main");
      expect(site.run(site.town, "status", "--porcelain")).toBe("M manifests/README.md");
    });
  });

  describe("removing", () => {
    it("given uncommitted work, when a sandbox is removed, then it is in a rescue ref and the Event says where", async () => {
      await rig();
      const toast = agent("toast");
      await hook("api-1", toast);
      await ensure(toast, "api-1");
      const head = site.commit(path(toast), { a: "1\n" });
      writeFileSync(join(path(toast), "a"), "2\n");
      writeFileSync(join(clone(), "worktrees/toast/index.lock"), "");
      await remove(toast);
      const rescue = site.run(clone(), "for-each-ref", "--format=%(refname)", "refs/town/rescue/api/toast");
      expect(site.run(clone(), "show", `${rescue}:a`)).toBe("2");
      expect(site.run(clone(), "rev-parse", `${rescue}^`)).toBe(head);
      expect(site.events("toast")).toContain("WorkRescued");
      expect(existsSync(path(toast))).toBe(false);
    });

    it("given a conversation that was held in it, when a sandbox is removed, then its transcript is kept", async () => {
      await rig();
      const toast = agent("toast");
      await hook("api-1", toast);
      await ensure(toast, "api-1");
      const transcript = site.path("transcript.jsonl");
      writeFileSync(transcript, "what was said\n");
      const held = { provider: "claude", generation: 1, startedAt: "2026-01-01T00:00:00Z" };
      await graph().transact(PAT, (tx) =>
        tx.setMetadata("api-agent-toast", {
          [AGENT.conversations]: [
            { ...held, session: "s-1", transcript, directory: path(toast) },
            { ...held, session: "elsewhere", transcript, directory: "/elsewhere" },
            { ...held, session: "../../etc", transcript, directory: path(toast) },
            { ...held, session: "s-0", transcript: "/gone.jsonl", directory: path(toast) },
          ],
        }),
      );
      await remove(toast);
      const kept = join(site.ports.layout.state, "transcripts/api/toast");
      expect(readdirSync(kept)).toEqual(["s-1.jsonl"]);
      expect(readFileSync(join(kept, "s-1.jsonl"), "utf8")).toBe("what was said\n");
    });

    it("given something that is no worktree in its place, when a sandbox is removed, then it is left alone", async () => {
      await rig();
      const toast = agent("toast");
      mkdirSync(path(toast), { recursive: true });
      writeFileSync(join(path(toast), "mine.txt"), "mine\n");
      await remove(toast);
      expect(readFileSync(join(path(toast), "mine.txt"), "utf8")).toBe("mine\n");
      expect(site.events("toast")).toContain("SandboxUnknown");
    });
  });
});
