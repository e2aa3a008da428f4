import { beforeEach, describe, expect, test } from "vitest";
import { bdVerb } from "../../src/daemon/bd-verb.ts";
import { TownGraphs } from "../../src/graph/graph-host.ts";
import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { WorkGraph } from "../../src/ports/work-graph.ts";
import type { Caller } from "../../src/resource/caller.ts";
import type { PlannedEvent } from "../../src/resource/controller.ts";
import type { ObjectKey } from "../../src/resource/object-meta.ts";
import type { Verb, VerbResult } from "../../src/resource/verb.ts";
import { declareAgent, nextGeneration } from "../../src/work/agent-record.ts";
import { alice, graphWorld, type GraphWorld } from "../graph/graph-world.ts";

const overseer: Caller = { name: "overseer", role: "admin", email: "pat@example.org" };
const toast = "api/polecats/toast";

let world: GraphWorld;
let verb: Verb;
let api: WorkGraph;
let graphs: TownGraphs;
let settled: string[];
let denials: { readonly about: ObjectKey; readonly event: PlannedEvent }[];
/** How the sessions view sees every session. */
let sight: "Running" | "Absent";
/** What the rig that is declared and was not open before says of itself. */
let lateReady: "False" | "Unknown";
/** Opens the store of a rig that is declared and was not open before. */
let openLate: () => Promise<void>;

const run = (argv: readonly string[], caller: Caller = overseer, more: object = {}): Promise<VerbResult> =>
  verb.run({ caller, args: { argv, ...more }, signal: new AbortController().signal });

beforeEach(async () => {
  world = await graphWorld();
  settled = [];
  denials = [];
  sight = "Running";
  lateReady = "Unknown";
  const files = world.disk.mount();
  const { clock, git, random } = world;
  const { processes } = world.machine.life();
  graphs = new TownGraphs({
    files,
    clock,
    random,
    processes,
    log: silentLog,
    project: (graph) =>
      Promise.resolve({
        refresh: () => undefined,
        settled: () => {
          settled.push(graph.namespace);
          return Promise.resolve();
        },
        end: () => Promise.resolve(),
      }),
  });
  await graphs.open("hq", await world.repository("/town"), { prefix: "hq", branch: "town/work" });
  api = await graphs.open("api", await world.repository("/state/rigs/api.git"), { prefix: "api", branch: "town/work" });
  const rigs = ["api", "late"].map((name) => ({
    metadata: { name },
    spec: { path: `/src/${name}`, push: { work: false, target: false } },
    get status() {
      return { conditions: name === "late" ? [{ type: "Ready", status: lateReady }] : [] };
    },
  }));
  const ports = {
    clock,
    random,
    files,
    git,
    graphs: graphs.directory,
    events: { record: (about: ObjectKey, event: PlannedEvent) => void denials.push({ about, event }) },
    objects: {
      get: ({ kind, name }: { kind: string; name: string }) =>
        kind === "Rig" ? rigs.find(({ metadata }) => metadata.name === name) : undefined,
      list: (kind: string) => (kind === "Rig" ? rigs : []),
    },
    view: { ready: true, frozen: false, sight: () => ({ state: sight }) },
    layout: {
      root: "/town",
      clone: (rig: string) => `/state/rigs/${rig}.git`,
      sandbox: (namespace: string, role: string, agent: string) => `/town/rigs/${namespace}/${role}/${agent}`,
    },
  } as unknown as LoopPorts;
  openLate = async () => {
    await graphs.open("late", await world.repository("/state/rigs/late.git"), { prefix: "late", branch: "town/work" });
  };
  verb = bdVerb({ ports, graphs, version: "1.2.3" });
});

/** An agent with a bead on its hook and the steps of its work, at generation 1. */
async function working(): Promise<{
  readonly caller: Caller;
  readonly bead: string;
  readonly steps: readonly string[];
}> {
  const agent = { name: "toast", identity: toast, role: "polecat", pool: "polecats", desired: "OnWork" } as const;
  const { bead, steps } = await api.transact({ actor: "loop/pools" }, (tx) => {
    declareAgent(tx, "api", agent);
    const made = tx.create({ title: "the work", owner: "pat@example.org" });
    const root = tx.create({ title: "work: the work", issue_type: "molecule", metadata: { "town.bead": made.id } });
    const one = tx.create({ title: "One", parent: root.id, metadata: { "town.step": "one" } });
    const two = tx.create({
      title: "Two",
      parent: root.id,
      metadata: { "town.step": "two" },
      dependsOn: [{ id: one.id, type: "blocks" }],
    });
    tx.setMetadata(made.id, { "town.molecule": root.id });
    tx.claim(made.id, toast, { status: "hooked" });
    nextGeneration(tx, "toast", made.id);
    return { bead: made.id, steps: [one.id, two.id] };
  });
  const caller: Caller = {
    name: toast,
    role: "agent",
    session: { namespace: "api", agent: "toast", generation: 1 },
    permissions: ["CreateBeads", "CloseBeads"],
  };
  return { caller, bead, steps };
}

describe("the verb bd", () => {
  test("given a person in the town's directory, when a bead is made, then it is the town's, theirs, and shown in the API", async () => {
    const result = await run(["create", "x", "--json"], overseer, { cwd: "/town" });
    expect(result.exitCode).toBe(0);
    expect(JSON.parse(result.text)).toMatchObject({ created_by: "overseer", owner: "pat@example.org" });
    expect(JSON.parse(result.text)).toHaveProperty("id", expect.stringMatching(/^hq-/));
    expect(settled).toContain("hq");
  });

  test.each([
    { cwd: "/state/rigs/api.git", argv: ["create", "x", "--silent"], because: "it is the rig's clone" },
    { cwd: "/src/api", argv: ["create", "x", "--silent"], because: "the manifest names it" },
    { cwd: "/elsewhere", argv: ["create", "x", "--silent"], because: "its git config follows the clone" },
    { cwd: "/town", argv: ["--rig", "api", "create", "x", "--silent"], because: "the rig is named" },
    { cwd: "/town", argv: ["-C", "/src/api", "create", "x", "--silent"], because: "-C leads there" },
  ])("given $cwd, when a bead is made, then it is the rig's: $because", async ({ cwd, argv }) => {
    await world.repository("/src/api");
    const elsewhere = await world.repository("/elsewhere");
    await elsewhere.setConfig("town.store", "/state/rigs/api.git");
    expect((await run(argv, overseer, { cwd })).text).toMatch(/^api-/);
  });

  test("given a person who finds nothing in one store, when listed, then the others are named; not where they were asked for", async () => {
    expect((await run(["list"], overseer, { cwd: "/town" })).errorText).toContain(
      "these are the beads of hq; --rig NAME looks into those of a rig, --all-rigs into all",
    );
    for (const argv of [
      ["list", "--all-rigs"],
      ["--rig", "api", "list"],
    ])
      expect((await run(argv, overseer, { cwd: "/town" })).errorText).toBeUndefined();
    const { caller } = await working();
    expect((await run(["list", "--type", "bug"], caller)).errorText).toBeUndefined();
  });

  test("given a rig that nobody declared, when named, then it says which there are", async () => {
    await expect(run(["--rig", "web", "list"])).rejects.toMatchObject({ code: 404, hint: "there are: api, hq" });
  });

  test("given a rig whose store opens a moment later, when named, then the command waits for it", async () => {
    const waiting = run(["--rig", "late", "create", "x", "--silent"]);
    await world.clock.advance(200);
    await openLate();
    await world.clock.advance(200);
    expect((await waiting).text).toMatch(/^late-/);
  });

  test("given a rig that says it is not ready, when named, then it is told after five seconds", async () => {
    lateReady = "False";
    const waiting = expect(run(["--rig", "late", "list"])).rejects.toMatchObject({ code: 503 });
    await world.clock.advance(6_000);
    await waiting;
  });

  test("given a rig that takes long to open on a busy machine, when named, then it is waited for, up to a minute", async () => {
    lateReady = "Unknown";
    let told = false;
    const waiting = expect(run(["--rig", "late", "list"]).finally(() => (told = true))).rejects.toMatchObject({
      code: 503,
    });
    await world.clock.advance(55_000);
    expect(told).toBe(false);
    await world.clock.advance(6_000);
    await waiting;
  });

  test("given a viewer, when it reads, then it may; when it writes, then it may not", async () => {
    const viewer: Caller = { name: "eve", role: "view" };
    expect((await run(["list"], viewer)).exitCode).toBe(0);
    expect(await run(["create", "x"], viewer)).toMatchObject({
      exitCode: 1,
      errorText: expect.stringContaining("read-only"),
    });
  });

  test("given a person who acts for another, when --actor or BEADS_ACTOR is used, then that is kept", async () => {
    const named = await run(["create", "x", "--actor", "ada", "--json"]);
    expect(JSON.parse(named.text)).toMatchObject({ created_by: "ada" });
    const stated = await run(["create", "y", "--json"], overseer, { env: { BEADS_ACTOR: "bea" } });
    expect(JSON.parse(stated.text)).toMatchObject({ created_by: "bea" });
  });

  test("given a session, when it files a bead, then it goes to its rig in its name and generation", async () => {
    const { caller } = await working();
    const { text } = await run(["create", "found", "--silent"], caller, {
      cwd: "/town",
      env: { BEADS_ACTOR: "mallory" },
    });
    expect(api.get(text)).toMatchObject({ title: "found", created_by: toast });
    const [entry] = await api.history(text);
    expect(entry).toMatchObject({ actor: toast, session: "toast@1" });
  });

  test("given a bead on the hook, when the session closes it, then it is refused with town done", async () => {
    const { caller, bead } = await working();
    const result = await run(["close", bead], caller);
    expect(result).toMatchObject({ exitCode: 1, errorText: expect.stringContaining("town done") });
    expect(api.get(bead)?.status).toBe("hooked");
    expect((await run(["close", bead, "--force"])).exitCode).toBe(0);
  });

  test("given the steps of its work, when the session closes them with --continue, then in order, with the next one named", async () => {
    const { caller, steps } = await working();
    const [one = "", two = ""] = steps;
    expect((await run(["close", two], caller)).errorText).toContain(`${one} comes first`);
    const first = JSON.parse((await run(["close", one, "--continue", "--json"], caller)).text) as object;
    expect(first).toMatchObject({
      closed: [{ id: one, status: "closed" }],
      continue: { closed_step: one, next_step: { id: two }, auto_advanced: true, molecule_complete: false },
    });
    const last = JSON.parse((await run(["close", two, "--continue", "--json"], caller)).text) as object;
    expect(last).toMatchObject({ continue: { next_step: null, molecule_complete: true } });
  });

  test("given somebody else's step, when a session closes it, then it is refused", async () => {
    const { caller } = await working();
    const other = await api.transact({ actor: "loop/pools" }, (tx) => {
      const root = tx.create({ title: "other", issue_type: "molecule" });
      return tx.create({ title: "step", parent: root.id, metadata: { "town.step": "one" } }).id;
    });
    expect((await run(["close", other], caller)).errorText).toContain("no step of the work on your hook");
    expect(api.get(other)?.status).toBe("open");
    expect(denials).toHaveLength(1);
    expect(denials[0]).toMatchObject({
      about: { kind: "Agent", name: "toast" },
      event: { reason: "Denied", actor: toast },
    });
  });

  test.each([
    { permissions: [], argv: ["create", "more"], permission: "CreateBeads" },
    { permissions: ["CreateBeads"], argv: ["update", "BEAD", "-d", "x"], permission: "CloseBeads" },
    { permissions: ["CreateBeads"], argv: ["close", "BEAD"], permission: "CloseBeads" },
  ])("given a role with $permissions only, when $argv.0 is run, then $permission is named and nothing changes", async ({
    permissions,
    argv,
    permission,
  }) => {
    const { caller } = await working();
    const { id } = await api.transact({ actor: "x" }, (tx) => tx.create({ title: "free" }));
    const before = api.list().length;
    const line = argv.map((word) => (word === "BEAD" ? id : word));
    const { errorText, exitCode } = await run(line, { ...caller, permissions });
    expect({ exitCode, named: errorText?.includes(permission) }).toEqual({ exitCode: 1, named: true });
    expect(api.list()).toHaveLength(before);
    expect(api.get(id)).toMatchObject({ status: "open" });
    expect(denials).toHaveLength(1);
  });

  test("given work that another agent has, when a worker changes it, then it is refused; one who sees to others may", async () => {
    const { caller } = await working();
    const { id } = await api.transact({ actor: "x" }, (tx) => tx.create({ title: "theirs" }));
    await api.transact({ actor: "x" }, (tx) => tx.claim(id, "api/polecats/nux"));
    expect((await run(["update", id, "-d", "do this instead"], caller)).errorText).toContain(
      "api/polecats/nux holds it",
    );
    expect((await run(["comment", id, "I saw this too"], caller)).exitCode).toBe(0);
    const witness = { ...caller, permissions: ["CloseBeads", "Nudge"] };
    expect((await run(["update", id, "-d", "clearer"], witness)).exitCode).toBe(0);
    expect((await run(["close", id], witness)).errorText).toContain("holds it");
    expect(api.get(id)).toMatchObject({ description: "clearer", status: "in_progress" });
  });

  test("given a session that was replaced, when it calls, then it is refused whatever it wants", async () => {
    const { caller, bead } = await working();
    await api.transact({ actor: "loop/agents" }, (tx) => nextGeneration(tx, "toast", bead));
    await expect(run(["list"], caller)).rejects.toMatchObject({ code: 409, reason: "Fenced" });
  });

  test("given the API's own words, when arguments are wrong, then it is a bad request", async () => {
    await expect(
      verb.run({ caller: overseer, args: { argv: "list" }, signal: new AbortController().signal }),
    ).rejects.toMatchObject({ code: 400 });
  });

  test("given a terminal, when listed, then it is coloured and cut to its columns", async () => {
    await run(["create", "a title that goes on and on and on and on"], overseer, { cwd: "/town" });
    const { text } = await run(["list"], overseer, { cwd: "/town", columns: 40 });
    expect(text).toContain("\u001b[");
    expect(text).toContain("…");
  });

  test("given an expired claim of a session, when reclaimed, then only once that session is known to be gone", async () => {
    const { bead } = await working();
    await world.clock.advance(5 * 3_600_000);
    const kept = await run(["--rig", "api", "reclaim"]);
    expect([kept.errorText, api.get(bead)?.status]).toEqual([expect.stringContaining("may still live"), "hooked"]);
    sight = "Absent";
    await run(["--rig", "api", "reclaim"]);
    expect(api.get(bead)).toMatchObject({ status: "open" });
  });

  test("given a rig that pushes nothing, when synced by a person or an agent, then nothing is pushed and that is said", async () => {
    const { caller } = await working();
    await world.repository("/remote");
    for (const who of [overseer, caller]) {
      const result = await run(["--rig", "api", "sync", "--remote", "/remote"], who);
      expect(result.exitCode).toBe(0);
      expect(result.errorText).toContain("does not leave this machine");
    }
  });

  test("given a custom status, when it is set and unset, then it counts in the running store at once, and is no status afterwards", async () => {
    const { id } = await api.transact(alice, (tx) => tx.create({ title: "x" }));
    expect((await run(["--rig", "api", "update", id, "-s", "verified"])).exitCode).toBe(1);
    expect(
      (await run(["--rig", "api", "config", "set", "status.custom", "verified:done,parked:frozen"])).exitCode,
    ).toBe(0);
    const waiting = await api.transact(alice, (tx) => tx.create({ title: "y", dependsOn: [{ id }] }));
    expect(api.isBlocked(waiting.id)).toBe(true);
    expect(await run(["--rig", "api", "update", id, "-s", "verified"])).toMatchObject({ exitCode: 0 });
    expect(api.ready().map((bead) => bead.id)).toEqual([waiting.id]);
    await run(["--rig", "api", "config", "unset", "status.custom"]);
    expect(api.ready()).toEqual([]);
  });
});

describe("a bead that another store's bead waits for", () => {
  const create = (other: string, more: object = {}) =>
    run(["create", "First", "--deps", `blocks:${other}`, "--rig", "api"], overseer, more);

  test("given the town dies between the two stores, when the call is made again, then there is one bead, and the other waits for it", async () => {
    const hq = graphs.directory.graph("hq");
    const waiting = await hq?.transact(alice, (tx) => tx.create({ title: "waits" }));
    const lift = world.disk.inject({ code: "EIO", below: "/town" });
    const request = { request: "request-1" };
    expect(await create(waiting?.id ?? "", request)).toMatchObject({ exitCode: 1 });
    lift();
    expect(hq?.isBlocked(waiting?.id ?? "")).toBe(false);
    expect(await create(waiting?.id ?? "", request)).toMatchObject({ exitCode: 0 });
    expect(api.list()).toMatchObject([{ title: "First" }]);
    expect(hq?.blockersOf(waiting?.id ?? "")).toMatchObject([{ title: "First" }]);
    await api.transact(alice, (tx) => tx.close(api.list()[0]?.id ?? ""));
    expect(hq?.isBlocked(waiting?.id ?? "")).toBe(false);
  });

  test("given one that is not there, when it is to wait, then nothing is made", async () => {
    expect(await create("hq-none")).toMatchObject({
      exitCode: 1,
      errorText: expect.stringContaining("no issue found"),
    });
    expect(api.list()).toEqual([]);
  });
});
