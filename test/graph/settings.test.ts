import { describe, expect, test } from "vitest";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { syncGraph } from "../../src/graph/sync.ts";
import type { Repository } from "../../src/ports/git.ts";
import { BRANCH, commitByHand } from "./by-hand.ts";
import { alice, graphWorld, type GraphWorld } from "./graph-world.ts";

async function onBranch(repository: Repository, ref = BRANCH): Promise<string | undefined> {
  const file = (await repository.listFiles(ref, "")).find(({ path }) => path === "settings.jsonl");
  return file === undefined ? undefined : repository.objects.readBlob(file.id);
}

async function sync(world: GraphWorld, graph: GitGraph): Promise<void> {
  const run = syncGraph(graph, { remote: "/remote", clock: world.clock, random: world.random });
  await world.clock.advance(100);
  await run;
}

describe("settings and memories", () => {
  test("given settings that are acknowledged, when the process dies, then they are there; with the next flush they are on the branch, those of the machine never", async () => {
    const world = await graphWorld();
    const { graph, ...life } = await world.open();
    await graph.changeSettings({ "memory.db": "make db", "sync.remote": "backup" });
    life.kill();
    world.disk.crash();
    const { graph: again } = await world.open();
    expect(again.settings).toEqual({ "memory.db": "make db", "sync.remote": "backup" });
    await again.flush();
    const repository = await world.repository();
    expect(await onBranch(repository)).toMatch(/^\{"key":"memory.db","value":"make db","updated_at":"[^"]+"\}\n$/);
    const tip = await repository.resolve(BRANCH);
    await again.flush();
    expect(await repository.resolve(BRANCH)).toBe(tip);
    await again.changeSettings({ "memory.db": undefined });
    await world.clock.advance(1_100);
    expect(await onBranch(repository)).toBeUndefined();
    await again.close();
  });

  test("given two clones that remember and configure apart, when they sync, then both know everything and custom statuses count", async () => {
    const world = await graphWorld();
    await world.repository("/remote");
    const { graph: left } = await world.open("/left");
    const { graph: right } = await world.open("/right");
    await left.changeSettings({ "status.custom": "review:wip", "memory.a": "of left", "memory.both": "left" });
    await world.clock.advance(5);
    await right.changeSettings({ "memory.b": "of right", "memory.both": "right", "sync.remote": "mine" });
    for (const graph of [left, right, left]) await sync(world, graph);
    const shared = {
      "memory.a": "of left",
      "memory.b": "of right",
      "memory.both": "right",
      "status.custom": "review:wip",
    };
    expect(left.settings).toEqual(shared);
    expect(right.settings).toEqual({ ...shared, "sync.remote": "mine" });
    expect(right.statuses.categoryOf("review")).toBe("wip");
    expect(left.tip).toBe(right.tip);
    await right.changeSettings({ "memory.a": undefined });
    await left.changeSettings({ "memory.c": "more" });
    for (const graph of [right, left, right]) await sync(world, graph);
    expect(left.settings).toEqual({ ...shared, "memory.a": undefined, "memory.c": "more" });
    expect(right.settings["memory.a"]).toBeUndefined();
  });

  test("given changes on both sides since the last exchange, when merged, then what only one side changed is not taken back", async () => {
    const world = await graphWorld();
    await world.repository("/remote");
    const { graph: left } = await world.open("/left");
    const { graph: right } = await world.open("/right");
    await left.changeSettings({ "memory.a": "1", "memory.b": "1" });
    for (const graph of [left, right]) await sync(world, graph);
    // Flushed here before the other side is looked at: the common ancestor is older than what is on our branch.
    await left.changeSettings({ "memory.a": "2" });
    await left.flush();
    await right.changeSettings({ "memory.b": "2" });
    for (const graph of [right, left, right]) await sync(world, graph);
    for (const { settings } of [left, right]) expect(settings).toEqual({ "memory.a": "2", "memory.b": "2" });
  });

  test("given a line that somebody edits with plain git, when taken in, then a good one counts and a bad one is set aside and written over", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    await graph.changeSettings({ "memory.a": "1" });
    await graph.transact(alice, (tx) => tx.create({ title: "t" }));
    await graph.flush();
    const repository = await world.repository();
    const text = `${(await onBranch(repository)) ?? ""}{"key":"memory.b","value":"by hand"}\nnonsense\n`;
    await commitByHand(repository, { "settings.jsonl": text }, world.clock.now());
    await graph.flush();
    expect(graph.settings).toEqual({ "memory.a": "1", "memory.b": "by hand" });
    expect(await onBranch(repository)).not.toContain("nonsense");
    expect(await world.disk.mount().readText("/repo/town/set-aside/branch.jsonl")).toContain("settings.jsonl:3@");
  });

  test("given a fresh clone that has only what it was cloned with, when read and when written, then it has the beads, settings and statuses", async () => {
    const world = await graphWorld();
    const { graph } = await world.open();
    await graph.changeSettings({ "status.custom": "review:wip", "memory.a": "1" });
    const bead = await graph.transact(alice, (tx) => tx.create({ title: "shared" }));
    await graph.flush();
    const clone = await world.repository("/clone");
    const cloned = "refs/remotes/origin/town/work";
    await clone.fetch("/repo", [`+${BRANCH}:${cloned}`], { timeoutMs: 1_000 });
    const reader = await world.open("/clone", { readOnly: true });
    expect(reader.graph.get(bead.id)).toEqual(graph.get(bead.id));
    expect(reader.graph.settings).toEqual(graph.settings);
    expect(reader.graph.statuses.categoryOf("review")).toBe("wip");
    expect(await clone.resolve(BRANCH)).toBeUndefined();
    const writer = await world.open("/clone");
    await writer.graph.transact(alice, (tx) => tx.update(bead.id, { status: "review" }));
    await writer.graph.close();
    expect(await clone.isAncestor(graph.tip ?? "", BRANCH)).toBe(true);
    expect(await clone.resolve(cloned)).toBe(graph.tip);
  });

  test("given a file that cannot be read, when asked, then it is said and left alone; beads go on", async () => {
    const world = await graphWorld();
    await world.disk.mount().makeDirectory("/repo/town");
    await world.disk.mount().writeAtomic("/repo/town/bd.json", '{"format":9}');
    const { graph } = await world.open();
    expect(() => graph.settings).toThrow("a later version of town wrote it");
    await expect(graph.changeSettings({ a: "b" })).rejects.toMatchObject({ reason: "SettingsUnreadable" });
    await graph.transact(alice, (tx) => tx.create({ title: "t" }));
    await graph.close();
    expect(await world.disk.mount().readText("/repo/town/bd.json")).toBe('{"format":9}');
  });
});
