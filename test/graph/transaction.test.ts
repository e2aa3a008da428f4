import { describe, expect, test } from "vitest";
import type { BeadRecord } from "../../src/domain/work-graph/bead.ts";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { graphAsOf } from "../../src/graph/past.ts";
import type { Author, GraphTransaction } from "../../src/ports/work-graph.ts";
import { alice, bob, graphWorld, type GraphWorld } from "./graph-world.ts";

interface Site {
  readonly world: GraphWorld;
  readonly graph: GitGraph;
  as(this: void, author: Author, work: (tx: GraphTransaction) => unknown): Promise<unknown>;
  make(
    this: void,
    fields?: Partial<BeadRecord> & {
      readonly parent?: string;
      readonly dependsOn?: readonly { readonly id: string; readonly type?: string }[];
    },
  ): Promise<BeadRecord>;
}

async function site(): Promise<Site> {
  const world = await graphWorld();
  const { graph } = await world.open("/repo", { flushIntervalMs: 3_600_000 });
  return {
    world,
    graph,
    as: async (author, work) => {
      await world.clock.advance(1);
      return graph.transact(author, work);
    },
    make: (fields) => graph.transact(alice, (tx) => tx.create({ title: "t", ...fields } as never)),
  };
}

const session = (generation: number): Author => ({ actor: "bob", session: `bob@${generation}` });

describe("claims", () => {
  test("given an open bead, when claimed, then status, assignee, lease, generation and fence are set together", async () => {
    const { graph, as, make } = await site();
    const { id } = await make();
    await as(session(3), (tx) => tx.claim(id, "bob", { generation: 3, leaseMs: 1_000 }));
    expect(graph.get(id)).toMatchObject({
      status: "in_progress",
      assignee: "bob",
      started_at: "2026-01-01T00:00:00.001Z",
      heartbeat_at: "2026-01-01T00:00:00.001Z",
      lease_expires_at: "2026-01-01T00:00:01.001Z",
      metadata: { "town.fence": 1, "town.generation": 3 },
    });
    await expect(as(alice, (tx) => tx.claim(id, "alice"))).rejects.toMatchObject({
      reason: "AlreadyClaimed",
      message: expect.stringContaining("claimed by bob") as string,
    });
  });

  test("given the holder, when it claims again, then nothing changes; hooked becomes in progress; a new generation raises the fence and fences off the old", async () => {
    const { graph, as, make } = await site();
    const { id } = await make();
    await as(session(1), (tx) => tx.claim(id, "bob", { status: "hooked", generation: 1 }));
    expect(graph.get(id)?.started_at).toBeUndefined();
    await as(session(1), (tx) => tx.claim(id, "bob", { generation: 1 }));
    const working = graph.get(id);
    expect(working).toMatchObject({ status: "in_progress", metadata: { "town.fence": 1 } });
    await as(session(1), (tx) => tx.claim(id, "bob", { status: "hooked", generation: 1 }));
    expect(graph.get(id)).toEqual(working);
    await as({ actor: "loop/hooks" }, (tx) => tx.claim(id, "bob", { generation: 2 }));
    expect(graph.get(id)?.metadata).toMatchObject({ "town.fence": 2, "town.generation": 2 });
    for (const late of [
      (tx: GraphTransaction) => tx.update(id, { notes: "late" }),
      (tx: GraphTransaction) => tx.setMetadata(id, { x: 1 }),
      (tx: GraphTransaction) => tx.close(id),
      (tx: GraphTransaction) => tx.close(id, { force: true }),
      (tx: GraphTransaction) => tx.release(id),
      (tx: GraphTransaction) => tx.renewLease(id, 1_000),
      (tx: GraphTransaction) => tx.claim(id, "bob", { generation: 1 }),
      (tx: GraphTransaction) => tx.delete(id),
    ]) {
      await expect(as(session(1), late)).rejects.toMatchObject({ reason: "Fenced" });
    }
    await as(session(2), (tx) => tx.close(id));
    expect(graph.get(id)).toMatchObject({
      status: "closed",
      assignee: "bob",
      closed_by_session: "bob@2",
      metadata: { "town.fence": 2 },
    });
    expect(graph.get(id)?.metadata?.["town.generation"]).toBeUndefined();
    expect(graph.get(id)?.lease_expires_at).toBeUndefined();
  });

  test.each([
    ["closed", (tx: GraphTransaction, id: string) => tx.close(id)],
    ["deferred", (tx: GraphTransaction, id: string) => tx.update(id, { status: "deferred" })],
    ["a template", (tx: GraphTransaction, id: string) => tx.update(id, { is_template: true })],
    ["pinned", (tx: GraphTransaction, id: string) => tx.update(id, { pinned: true })],
  ])("given a bead that is %s, when claimed, then it is refused", async (_what, prepare) => {
    const { as, make } = await site();
    const { id } = await make();
    await as(alice, (tx) => prepare(tx, id));
    await expect(as(bob, (tx) => tx.claim(id, "bob"))).rejects.toMatchObject({ reason: "NotClaimable" });
  });

  test("given a claim, when released, then it is open and free, and the fence stays", async () => {
    const { graph, as, make } = await site();
    const { id } = await make();
    await as(bob, (tx) => tx.claim(id, "bob"));
    await as({ actor: "loop/hooks" }, (tx) => tx.release(id, { reason: "its session is gone" }));
    expect(graph.get(id)).toMatchObject({ status: "open", metadata: { "town.fence": 1 } });
    expect(graph.get(id)?.assignee).toBeUndefined();
    const [, , released] = await graph.history(id);
    expect(released).toMatchObject({ actor: "loop/hooks", event: "released" });
    expect(released?.changes).toContainEqual({ field: "reason", to: "its session is gone" });
  });

  test("given a claim of somebody else, when its fields are changed by hand, then it is refused unless forced; other fields may change", async () => {
    const { graph, as, make } = await site();
    const { id } = await make();
    await as(bob, (tx) => tx.claim(id, "bob"));
    await expect(as(alice, (tx) => tx.update(id, { assignee: "alice" }))).rejects.toMatchObject({
      reason: "NotHolder",
    });
    await expect(as(alice, (tx) => tx.update(id, { status: "open" }))).rejects.toMatchObject({ reason: "NotHolder" });
    await as(alice, (tx) => tx.update(id, { priority: 0 }));
    await as(alice, (tx) => tx.update(id, { assignee: "alice" }, { force: true }));
    expect(graph.get(id)).toMatchObject({ assignee: "alice", metadata: { "town.fence": 2 } });
    await as(alice, (tx) => tx.update(id, { status: "open" }));
    expect(graph.get(id)?.assignee).toBeUndefined();
    expect(graph.get(id)?.lease_expires_at).toBeUndefined();
  });

  test("given a lease, when renewed often, then readers see it at once, the log gets it at half its length, and the last written one survives", async () => {
    const { world, graph, make } = await site();
    const { id } = await make();
    await graph.transact(bob, (tx) => tx.claim(id, "bob", { leaseMs: 1_000 }));
    const writes: string[] = [];
    world.disk.onStep = (operation) => void (operation === "append" && writes.push(operation));
    const seqs: number[] = [];
    graph.subscribe((changes) => seqs.push(...changes.map(({ seq }) => seq)));
    for (let i = 0; i < 10; i++) {
      await world.clock.advance(100);
      await graph.transact(bob, (tx) => tx.renewLease(id, 1_000));
      expect(graph.get(id)?.lease_expires_at).toBe(new Date(world.clock.now() + 1_000).toISOString());
    }
    world.disk.onStep = undefined;
    expect(writes).toHaveLength(2);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    const { lease_expires_at: memory } = graph.get(id) ?? {};
    const again = await world.open("/repo", { readOnly: true });
    expect(again.graph.get(id)?.lease_expires_at).toBe(memory);
  });

  test("given short processes that renew a lease, when others write, the log is cut and git is read alone, then the last renewal counts and the branch gets it at half its length", async () => {
    const world = await graphWorld();
    const options = { isBrief: true, segmentBytes: 400 };
    const life = async <T>(work: (graph: GitGraph) => Promise<T>): Promise<T> => {
      const { graph } = await world.open("/repo", options);
      const done = await work(graph);
      await graph.close();
      return done;
    };
    const { id } = await life((graph) => graph.transact(bob, (tx) => tx.create({ title: "held" })));
    await life((graph) => graph.transact(bob, (tx) => tx.claim(id, "bob", { leaseMs: 1_000 })));
    const leaseOnBranch = async (): Promise<string | undefined> => {
      const reader = (await graphAsOf((await world.open("/repo", { readOnly: true })).graph, "refs/heads/town/work"))
        ?.reader;
      return reader?.get(id)?.lease_expires_at;
    };
    const claimed = await leaseOnBranch();
    const tip = await (await world.repository()).resolve("refs/heads/town/work");
    await world.clock.advance(200);
    const renewed = await life(
      async (graph) => (await graph.transact(bob, (tx) => tx.renewLease(id, 1_000))).lease_expires_at,
    );
    expect(renewed).not.toBe(claimed);
    expect(await (await world.repository()).resolve("refs/heads/town/work")).toBe(tip);
    // Others write, so that the log ends and the branch goes on.
    for (let i = 0; i < 4; i++)
      await life((graph) => graph.transact(alice, (tx) => tx.create({ title: "x".repeat(300) })));
    expect(await life(async (graph) => graph.get(id)?.lease_expires_at)).toBe(renewed);
    expect((await world.open("/repo", { readOnly: true })).graph.get(id)?.lease_expires_at).toBe(renewed);
    expect(await leaseOnBranch()).toBe(claimed);
    await world.clock.advance(350);
    const late = await life(
      async (graph) => (await graph.transact(bob, (tx) => tx.renewLease(id, 1_000))).lease_expires_at,
    );
    expect(await leaseOnBranch()).toBe(late);
    expect(await life((graph) => graph.history(id).then((all) => all.map(({ event }) => event)))).toEqual([
      "created",
      "claimed",
    ]);
  });

  test("given a renewed lease, when the bead is released or claimed anew in another life, then the old renewal is no part of it", async () => {
    const world = await graphWorld();
    const first = await world.open("/repo", { isBrief: true });
    const { id } = await first.graph.transact(bob, (tx) => tx.create({ title: "held" }));
    await first.graph.transact(bob, (tx) => tx.claim(id, "bob", { leaseMs: 1_000 }));
    await world.clock.advance(100);
    await first.graph.transact(bob, (tx) => tx.renewLease(id, 1_000));
    await first.graph.transact(bob, (tx) => tx.release(id));
    first.kill();
    const second = await world.open("/repo", { isBrief: true });
    expect(second.graph.get(id)).toMatchObject({ status: "open" });
    expect(second.graph.get(id)?.lease_expires_at).toBeUndefined();
  });

  test("given a claim that ran out, then it is not free: another cannot claim it before it is given back", async () => {
    const { world, graph, make } = await site();
    const { id } = await make();
    await graph.transact(bob, (tx) => tx.claim(id, "bob", { leaseMs: 1_000 }));
    await world.clock.advance(5_000);
    await expect(graph.transact(alice, (tx) => tx.claim(id, "alice"))).rejects.toMatchObject({
      reason: "AlreadyClaimed",
    });
    expect(graph.ready().map((bead) => bead.id)).not.toContain(id);
  });

  test("given a person's claim, when the person writes late in the lease, then the write renews it", async () => {
    const { world, graph, make } = await site();
    const { id } = await make();
    await graph.transact(bob, (tx) => tx.claim(id, "bob", { leaseMs: 1_000 }));
    await world.clock.advance(600);
    await graph.transact(bob, (tx) => tx.comment(id, "still at it"));
    expect(graph.get(id)?.lease_expires_at).toBe(new Date(world.clock.now() + 1_000).toISOString());
  });

  test("given an open bead assigned to somebody, when another claims it, then it is refused; the assignee may", async () => {
    const { as, make } = await site();
    const { id } = await make({ assignee: "bob" });
    await expect(as(alice, (tx) => tx.claim(id, "alice"))).rejects.toMatchObject({ reason: "AlreadyClaimed" });
    await as(bob, (tx) => tx.claim(id, "bob"));
  });
});

describe("closing and reopening", () => {
  test("given an epic with open children, a blocked bead, a template or a pinned one, when closed, then it is refused with the reason unless forced", async () => {
    const { graph, as, make } = await site();
    const epic = await make({ issue_type: "epic" });
    const child = await make({ parent: epic.id });
    const blocked = await make({ dependsOn: [{ id: child.id }] });
    const template = await make({ is_template: true });
    const pinned = await make({ pinned: true });
    for (const [id, reason] of [
      [epic.id, "OpenChildren"],
      [blocked.id, "Blocked"],
      [template.id, "IsTemplate"],
      [pinned.id, "IsPinned"],
    ] as const) {
      await expect(as(alice, (tx) => tx.close(id))).rejects.toMatchObject({ reason });
      await expect(as(alice, (tx) => tx.update(id, { status: "closed" }))).rejects.toMatchObject({ reason });
    }
    await as(alice, (tx) => tx.close(blocked.id, { force: true, reason: "anyway" }));
    expect(graph.get(blocked.id)).toMatchObject({ status: "closed", close_reason: "anyway" });
    await as(alice, (tx) => tx.close(child.id));
    const before = await as(alice, (tx) => tx.close(epic.id));
    expect(await as(bob, (tx) => tx.close(epic.id, { reason: "again" }))).toEqual(before);
    expect(graph.get(epic.id)).toMatchObject({ close_reason: "Closed", closed_at: (before as BeadRecord).updated_at });
  });

  test("given a child whose blocked parent holds it, when closed, then inherited blockedness does not matter", async () => {
    const { as, make } = await site();
    const gate = await make();
    const epic = await make({ issue_type: "epic", dependsOn: [{ id: gate.id }] });
    const child = await make({ parent: epic.id });
    await as(alice, (tx) => tx.close(child.id));
  });

  test("given a closed bead, when reopened, then nothing of the close stays, its dependents wait again, and who had claimed it is gone", async () => {
    const { graph, as, make } = await site();
    const first = await make();
    const second = await make({ dependsOn: [{ id: first.id }] });
    await as(bob, (tx) => tx.claim(first.id, "bob"));
    await as(bob, (tx) => tx.close(first.id, { reason: "done" }));
    expect(graph.ready().map(({ id }) => id)).toEqual([second.id]);
    await as(alice, (tx) => tx.reopen(first.id, { reason: "not yet" }));
    expect(graph.ready().map(({ id }) => id)).toEqual([first.id]);
    const record = graph.get(first.id);
    expect(record).toMatchObject({
      status: "open",
      started_at: expect.any(String) as string,
      comments: [{ text: "not yet", author: "alice" }],
    });
    for (const key of ["closed_at", "close_reason", "assignee", "lease_expires_at"])
      expect(record?.[key]).toBeUndefined();
  });

  test("given a bead that was only assigned, when reopened, then it keeps its assignee", async () => {
    const { graph, as, make } = await site();
    const { id } = await make({ assignee: "bob" });
    await as(alice, (tx) => tx.close(id));
    await as(alice, (tx) => tx.reopen(id));
    expect(graph.get(id)?.assignee).toBe("bob");
  });
});

describe("making and changing beads", () => {
  test("given a parent, when a child is made, then it has the parent's id, owner and edge, and numbers are not used twice", async () => {
    const { graph, as, make } = await site();
    const epic = await make({ issue_type: "epic", owner: "human@example.com" });
    const one = await make({ parent: epic.id });
    const two = await make({ parent: epic.id });
    await as(alice, (tx) => tx.delete(two.id));
    const three = await make({ parent: epic.id });
    expect([one.id, two.id, three.id]).toEqual([`${epic.id}.1`, `${epic.id}.2`, `${epic.id}.3`]);
    expect(three).toMatchObject({
      owner: "human@example.com",
      dependencies: [{ issue_id: three.id, depends_on_id: epic.id, type: "parent-child" }],
    });
    expect(graph.childrenOf(epic.id).map(({ id }) => id)).toEqual([one.id, three.id]);
    expect(graph.parentOf(one.id)?.id).toBe(epic.id);
  });

  test.each([
    [{ title: "" }, "`title` must be a text that is not empty"],
    [{ title: "é".repeat(251) }, "must not be longer than 500 bytes, it has 502"],
    [{ status: "opne" }, "`status` must be one of open"],
    [{ priority: 5 }, "`priority` must be a whole number from 0 to 4: 5"],
    [{ priority: "high" }, "`priority`"],
    [{ issue_type: "Big Task" }, "`issue_type`"],
    [{ due_at: "tomorrow" }, "`due_at` must be an RFC 3339 time"],
    [{ labels: ["", "x"] }, "`labels` must be a list of non-empty texts"],
    [{ estimated_minutes: -1 }, "`estimated_minutes`"],
    [{ id: "a b" }, "`id`"],
    [{ created_at: "2026-01-01T00:00:00Z" }, "the store sets it"],
  ])("given %j, when a bead is made of it, then it is refused and the field named", async (fields, message) => {
    const { graph, make } = await site();
    await expect(make(fields as never)).rejects.toThrow(message);
    expect(graph.list()).toEqual([]);
  });

  test("given an alias, a text priority and labels in disorder, when made, then they are stored in one form", async () => {
    const { make } = await site();
    expect(await make({ issue_type: "feat", priority: "P1" as never, labels: ["b", "a", "b"] })).toMatchObject({
      issue_type: "feature",
      priority: 1,
      labels: ["a", "b"],
    });
  });

  test("given a taken id or key, when used again, then it is refused and the owner named", async () => {
    const { as, make } = await site();
    const first = await make({ id: "api-mine", metadata: { "town.key": "k" } } as never);
    const other = await make();
    await expect(make({ id: "api-mine" } as never)).rejects.toMatchObject({ reason: "AlreadyExists" });
    await expect(make({ metadata: { "town.key": "k" } })).rejects.toMatchObject({
      reason: "KeyTaken",
      message: expect.stringContaining(first.id) as string,
    });
    await expect(as(alice, (tx) => tx.setMetadata(other.id, { "town.key": "k" }))).rejects.toMatchObject({
      reason: "KeyTaken",
    });
  });

  test("given the metadata of a user replaced, then the facts of Town in it stay", async () => {
    const { graph, as, make } = await site();
    const { id } = await make({ metadata: { mine: 1, "town.key": "k" } });
    await as(alice, (tx) => tx.update(id, { metadata: { yours: 2 } }));
    expect(graph.get(id)?.metadata).toEqual({ yours: 2, "town.key": "k" });
    await as(alice, (tx) => tx.setMetadata(id, { yours: null, more: { deep: [1] } }));
    expect(graph.get(id)?.metadata).toEqual({ "town.key": "k", more: { deep: [1] } });
  });

  test("given objects of the caller, when they are changed afterwards, then the graph is not, and what it hands out is frozen", async () => {
    const { graph, make } = await site();
    const metadata = { list: [1] };
    const record = await make({ metadata });
    metadata.list.push(2);
    expect(graph.get(record.id)?.metadata).toEqual({ list: [1] });
    expect(Object.isFrozen(metadata)).toBe(false);
    expect(() => ((graph.get(record.id) as { title: string }).title = "x")).toThrow(TypeError);
    const stored = graph.get(record.id)?.metadata as { list: number[] };
    expect(() => stored.list.push(1)).toThrow(TypeError);
  });

  test("given dependencies, then each rule of theirs is kept", async () => {
    const { graph, as, make } = await site();
    const [a, b, c] = [await make(), await make(), await make()];
    await as(alice, (tx) => tx.addDependency(a.id, b.id));
    await as(alice, (tx) => tx.addDependency(a.id, b.id));
    expect(graph.get(a.id)?.dependencies).toHaveLength(1);
    await expect(as(alice, (tx) => tx.addDependency(a.id, a.id))).rejects.toMatchObject({ reason: "SelfDependency" });
    await expect(as(alice, (tx) => tx.addDependency(a.id, b.id, "related"))).rejects.toMatchObject({
      reason: "DependencyExists",
    });
    await expect(as(alice, (tx) => tx.addDependency(a.id, "api-none1"))).rejects.toMatchObject({ reason: "NotFound" });
    await expect(as(alice, (tx) => tx.addDependency(b.id, a.id))).rejects.toMatchObject({
      reason: "DependencyCycle",
      message: expect.stringContaining(`${a.id} → ${b.id}`) as string,
    });
    await as(alice, (tx) => tx.addDependency(c.id, a.id, "parent-child"));
    await expect(as(alice, (tx) => tx.addDependency(c.id, b.id, "parent-child"))).rejects.toMatchObject({
      reason: "HasParent",
    });
    await as(alice, (tx) => tx.addDependency(a.id, c.id, "relates-to"));
    expect(graph.get(c.id)?.dependencies?.map(({ type, depends_on_id: to }) => `${type} ${to}`)).toEqual([
      `parent-child ${a.id}`,
    ]);
    await as(alice, (tx) => tx.addDependency(b.id, c.id, "relates-to"));
    expect(graph.get(c.id)?.dependencies?.map(({ type }) => type)).toEqual(["parent-child", "relates-to"]);
    await as(alice, (tx) => tx.removeDependency(b.id, c.id));
    expect(graph.get(c.id)?.dependencies?.map(({ type }) => type)).toEqual(["parent-child"]);
    await as(alice, (tx) => tx.addDependency(a.id, "external:web:login"));
    await as(alice, (tx) => tx.addDependency(a.id, "other-rig-bead1"));
    expect(graph.dependentsOf(b.id).map(({ issue_id: id }) => id)).toEqual([a.id]);
  });

  test("given a deleted bead, then it is gone for readers, its dependents are free, and a tombstone stays; a wisp leaves nothing", async () => {
    const { graph, as, make } = await site();
    const gone = await make();
    const waiting = await make({ dependsOn: [{ id: gone.id }] });
    const wisp = await make({ ephemeral: true });
    expect(wisp.id).toMatch(/^api-wisp-/);
    await as(alice, (tx) => tx.delete(gone.id, "not needed"));
    await as(alice, (tx) => tx.delete(wisp.id));
    expect(graph.get(gone.id)).toBeUndefined();
    expect(graph.revOf(gone.id)).toBe(0);
    expect(graph.list().map(({ id }) => id)).toEqual([waiting.id]);
    expect(graph.ready().map(({ id }) => id)).toEqual([waiting.id]);
    expect(graph.stored(gone.id)).toMatchObject({
      status: "tombstone",
      original_type: "task",
      deleted_by: "alice",
      delete_reason: "not needed",
    });
    expect(graph.stored(wisp.id)).toBeUndefined();
    await expect(as(alice, (tx) => tx.comment(gone.id, "x"))).rejects.toMatchObject({ reason: "NotFound" });
  });

  test("given a deferral, then until a time it comes back by itself and without one it stays away", async () => {
    const { world, graph, make } = await site();
    const until = await make({ defer_until: new Date(world.clock.now() + 1_000).toISOString() });
    const away = await make({ status: "deferred" });
    expect(graph.ready()).toEqual([]);
    await world.clock.advance(1_000);
    expect(graph.ready().map(({ id }) => id)).toEqual([until.id]);
    world.clock.jumpWall(-5_000);
    expect(graph.ready()).toEqual([]);
    expect(graph.get(away.id)?.status).toBe("deferred");
  });
});
