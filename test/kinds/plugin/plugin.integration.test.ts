import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { declareAgent, hookOf } from "../../../src/work/agent-record.ts";
import { slingOf } from "../../../src/work/sling.ts";
import type { PluginObject } from "../../../src/kinds/plugin/plugin.observe.ts";
import type { PluginStatus } from "../../../src/kinds/plugin/plugin.schema.ts";
import { noteRun, requestRun, runsOf } from "../../../src/work/plugin-run.ts";
import { pluginRunVerb } from "../../../src/verbs/plugin-run.ts";
import { TownSite } from "../town-site.ts";

const plugin = (name: string, namespace = "api") => ({ kind: "Plugin", namespace, name });

describe("the plugins loop", () => {
  let site: TownSite;

  beforeEach(async () => {
    site = await TownSite.withRig();
  });

  afterEach(() => site.end());

  const declare = (name: string, spec: object, namespace = "api") => site.declare("Plugin", namespace, name, spec);
  const settle = (name: string, namespace = "api") => site.settle("plugins", plugin(name, namespace));
  const status = (name: string, namespace = "api") => site.store.get(plugin(name, namespace))?.status as PluginStatus;
  const graph = (namespace = "api") => {
    const found = site.ports.graphs.graph(namespace);
    if (found === undefined) throw new Error(`${namespace} is not open`);
    return found;
  };
  const runs = (name: string) => runsOf(graph(), `api/${name}`);
  const shell = (script: string) => ({ exec: ["/bin/sh", "-c", script] });

  it("given a program and a cooldown, when time goes by, then it runs on the target branch each time it is due, and never beside itself", async () => {
    const out = site.path("out");
    await declare("look", { gate: { cooldown: "1h" }, run: shell(`cat README.md >> ${out}; echo "$TOWN_RIG: fine"`) });
    expect(await settle("look")).toEqual(["Begin", "Execute"]);
    expect(readFileSync(out, "utf8")).toBe("project\n");
    expect(status("look")).toMatchObject({ runs: 1, result: "Succeeded" });
    expect(status("look").targets).toMatchObject([{ namespace: "api", message: "api: fine" }]);
    expect(site.condition(plugin("look"))).toMatchObject({ status: "True", reason: "Scheduled" });
    expect(await settle("look")).toEqual([]);
    site.later(3_600_001);
    expect(await settle("look")).toEqual(["Begin", "Execute"]);
    expect(status("look").runs).toBe(2);
    expect(existsSync(join(site.ports.layout.plugins("api"), "look"))).toBe(false);
    expect(site.events("look")).toContain("PluginRan");
    // Runs are no work for anybody and never reach git.
    expect(graph().ready()).toEqual([]);
    expect(runs("look")).toHaveLength(2);
  });

  it("given a program that fails or does not end, when it ran, then status and Event say how, with the log's place", async () => {
    await declare("bad", { gate: { cooldown: "1h" }, run: shell("echo no disk >&2; exit 3") });
    await settle("bad");
    expect(site.condition(plugin("bad"))).toMatchObject({ status: "False", reason: "LastRunFailed" });
    expect(site.condition(plugin("bad"))?.message).toMatch(/api: Failed: exit code 3: no disk; .*bad\.log/);
    await declare("slow", { gate: { cooldown: "1h" }, run: shell("sleep 60"), timeout: "1s" });
    await settle("slow");
    expect(status("slow").result).toBe("TimedOut");
    expect(site.events("bad")).toContain("PluginFailed");
    expect(site.events("slow")).toContain("PluginTimedOut");
  });

  it("given a program whose controller was killed, when the next one looks, then it is ended and begun again", async () => {
    const backup = await declare("backup", { gate: { manual: true }, run: shell("echo again") });
    const orphan = site.processes.run("/bin/sh", ["-c", "sleep 60"], {
      cwd: site.root,
      env: {},
      timeoutMs: 60_000,
      started: async (process) => {
        await graph().transact({ actor: "loop/plugins" }, (tx) => {
          const run = requestRun(tx, backup as PluginObject, { slot: "s", dueMs: tx.now, why: "pat asked" });
          noteRun(tx, run.id, { startedMs: tx.now, process });
        });
      },
    });
    await expect.poll(() => runs("backup").length).toBe(1);
    expect(await settle("backup")).toEqual(["Interrupt", "Begin", "Execute"]);
    expect((await orphan).exitCode).toBeUndefined();
    expect(runs("backup").map(({ fact }) => fact.result)).toEqual(["Succeeded", "Interrupted"]);
    expect(await settle("backup")).toEqual([]);
  });

  it("given a condition, when it exits with 0, then the plugin runs; until then it is only tried", async () => {
    const flag = site.path("flag");
    await declare("react", { gate: { condition: `test -e ${flag}` }, run: shell(`rm ${flag}`) });
    expect(await settle("react")).toEqual(["Check"]);
    writeFileSync(flag, "");
    expect(await settle("react")).toEqual([]);
    site.later(60_001);
    expect(await settle("react")).toEqual(["Check", "Execute"]);
    expect(status("react").result).toBe("Succeeded");
    expect(existsSync(flag)).toBe(false);
  });

  it("given an Event, when it occurs in the rig, then the plugin runs once for it", async () => {
    await declare("after", { gate: { event: "Merged" }, run: shell("echo ok") });
    expect(await settle("after")).toEqual([]);
    const merged = (namespace: string) =>
      site.store.record({ kind: "Bead", namespace, name: "x-1" }, { type: "Normal", reason: "Merged", message: "in" });
    merged("web");
    expect(await settle("after")).toEqual([]);
    merged("api");
    expect(await settle("after")).toEqual(["Begin", "Execute"]);
    expect(await settle("after")).toEqual([]);
    merged("api");
    expect(await settle("after")).toEqual(["Begin", "Execute"]);
  });

  it("given a plugin of the town about rigs, when it runs, then once for each of them", async () => {
    await site.declare("Rig", undefined, "web", { path: site.repository("site") });
    await site.settle("rigs", { kind: "Rig", name: "web" });
    const out = site.path("out");
    await declare("all", { scope: "Rig", gate: { cooldown: "1h" }, run: shell(`echo $TOWN_RIG >> ${out}`) }, "hq");
    await settle("all", "hq");
    expect(readFileSync(out, "utf8")).toBe("api\nweb\n");
    expect(status("all", "hq").runs).toBe(2);
  });

  it("given permissions, when the program runs, then it has a token for just as long", async () => {
    const told: string[] = [];
    const { tokens } = site.ports;
    Object.assign(tokens, {
      issue: (session: { readonly agent: string; readonly permissions: readonly string[] }) => {
        told.push(`${session.agent}: ${session.permissions.join(" ")}`);
        site.tokens.push({ namespace: "api", agent: session.agent, generation: 1 });
        return Promise.resolve();
      },
    });
    const run = shell('test -n "$TOWN_TOKEN_FILE" && test -n "$TOWN_SOCKET"');
    await declare("clerk", { gate: { cooldown: "1h" }, run, permissions: ["CreateBeads"] });
    await settle("clerk");
    expect(status("clerk").result).toBe("Succeeded");
    expect(told).toEqual(["plugin.clerk: CreateBeads"]);
    expect(site.tokens).toEqual([]);
  });

  it("given a prompt, when it is due, then a free agent of the role has it on its hook; busy ones are waited for", async () => {
    await site.declare("Role", undefined, "witness", { lifecycle: "Persistent", singleton: true, prompt: "p" });
    await declare("judge", { gate: { cooldown: "1h" }, run: { prompt: "Look at the failures." }, timeout: "10m" });
    await settle("judge");
    expect(site.condition(plugin("judge"))).toMatchObject({ status: "False", reason: "NoPool" });
    await site.declare("AgentPool", "api", "watch", { role: "witness", provider: "shell", replicas: 1 });
    const identity = "api/witness";
    await settle("judge");
    expect(site.condition(plugin("judge"))?.message).toContain("waits for an agent of api/watch");
    await graph().transact({ actor: "pat" }, (tx) =>
      declareAgent(tx, "api", { name: "witness", identity, role: "witness", pool: "watch", desired: "Running" }),
    );
    expect(await settle("judge")).toEqual(["Hook"]);
    const hooked = hookOf(graph(), identity);
    expect(hooked).toMatchObject({ title: "Plugin judge", description: "Look at the failures.", ephemeral: true });
    await graph().transact({ actor: identity }, (tx) => tx.close(hooked?.id ?? "", { reason: "nothing found" }));
    expect(await settle("judge")).toEqual([]);
    expect(status("judge")).toMatchObject({ runs: 1, result: "Succeeded" });
    site.later(3_600_001);
    expect(await settle("judge")).toEqual(["Begin", "Hook"]);
    site.later(600_001);
    expect(await settle("judge")).toEqual(["End"]);
    expect(status("judge").result).toBe("TimedOut");
    expect(hookOf(graph(), identity)).toBeUndefined();
  });

  it("given a role whose agents come with work, when it is due, then the pool takes it as other work", async () => {
    await site.declare("Role", undefined, "dog", {
      lifecycle: "Ephemeral",
      scope: "Town",
      prompt: "p",
      plural: "dogs",
    });
    await site.declare("Provider", undefined, "shell", { command: ["{shellAgent}"] });
    await site.declare("AgentPool", "hq", "dogs", { role: "dog", provider: "shell", replicas: 1 });
    await declare("digest", { gate: { cooldown: "1h" }, run: { prompt: "Write the digest." } }, "hq");
    expect(await settle("digest", "hq")).toEqual(["Begin", "Sling"]);
    const [run] = runsOf(graph("hq"), "hq/digest");
    expect(slingOf(graph("hq").get(run?.id ?? ""))).toEqual({ pool: "dogs" });
    expect(await site.settle("workers", { kind: "AgentPool", namespace: "hq", name: "dogs" })).toContain("Hook");
    expect(graph("hq").get(run?.id ?? "")?.assignee).toMatch(/^hq\/dogs\//);
  });

  it("given somebody who asks, when `plugin run` is called, then it runs now, once, and what cannot run says why", async () => {
    await declare("backup", { gate: { manual: true }, run: shell("echo done") });
    await declare("lost", { scope: "Town", gate: { manual: true }, run: shell("true") });
    const caller = { name: "pat", role: "edit" } as const;
    const { signal } = new AbortController();
    const ask = (args: object) =>
      pluginRunVerb(site.ports).run({ caller, args: args as Record<string, unknown>, signal });
    const [first, second] = [await ask({ name: "backup" }), await ask({ name: "api/backup", rig: "api" })];
    expect([first.text, second.text]).toEqual([
      expect.stringMatching(/^api-wisp-\w+ runs about api$/),
      expect.stringMatching(/in progress already$/),
    ]);
    expect(await settle("backup")).toEqual(["Execute"]);
    expect(runs("backup").map(({ fact }) => [fact.why, fact.result])).toEqual([["pat asked", "Succeeded"]]);
    await expect(ask({ name: "nothing" })).rejects.toMatchObject({ reason: "NotFound" });
    await expect(ask({ name: "backup", rig: "web" })).rejects.toMatchObject({ reason: "NotFound" });
    await expect(ask({ name: "lost" })).rejects.toMatchObject({ reason: "OutOfScope" });
  });

  it("given a suspension, when it is due, then nothing starts; given its removal, then what runs is ended first", async () => {
    await declare("look", { gate: { cooldown: "1h" }, run: shell("true"), suspend: true });
    expect(await settle("look")).toEqual([]);
    expect(site.condition(plugin("look"))).toMatchObject({ status: "True", reason: "Suspended" });
    await site.declare("Role", undefined, "dog", { lifecycle: "Ephemeral", scope: "Town", prompt: "p" });
    await site.declare("AgentPool", "hq", "dogs", { role: "dog", provider: "shell", replicas: 1 });
    await declare("digest", { gate: { cooldown: "1h" }, run: { prompt: "Write it." } }, "hq");
    await settle("digest", "hq");
    await site.store.delete(plugin("digest", "hq"));
    expect(await settle("digest", "hq")).toContain("End");
    expect(runsOf(graph("hq"), "hq/digest").map(({ isOpen }) => isOpen)).toEqual([false]);
    expect(site.store.get(plugin("digest", "hq"))).toBeUndefined();
  });
});
