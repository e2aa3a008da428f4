import { describe, expect, test } from "vitest";
import type { GitGraph } from "../../src/graph/git-graph.ts";
import { syncGraph } from "../../src/graph/sync.ts";
import { TownError } from "../../src/errors/town-error.ts";
import { graphWorld, type GraphWorld } from "./graph-world.ts";
import { fc, fuzzRuns } from "../property.ts";

type Act =
  | { readonly do: "Create"; readonly at: number; readonly parent: boolean }
  | {
      readonly do: "Edit" | "Claim" | "Close" | "Reopen" | "Delete" | "Label" | "Comment" | "Depend";
      readonly at: number;
      readonly bead: number;
      readonly n: number;
    }
  | { readonly do: "Sync" | "Flush" | "Restart"; readonly at: number };

const clones = ["/one", "/two", "/three"];
const place = fc.integer({ min: 0, max: clones.length - 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("Create" as const), at: place, parent: fc.boolean() }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "Edit" as const,
        "Claim" as const,
        "Close" as const,
        "Reopen" as const,
        "Delete" as const,
        "Label" as const,
        "Comment" as const,
        "Depend" as const,
      ),
      at: place,
      bead: fc.nat(6),
      n: fc.nat(4),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("Sync" as const, "Sync" as const, "Flush" as const, "Restart" as const),
      at: place,
    }),
  },
);

async function perform(world: GraphWorld, graph: GitGraph, one: Act): Promise<void> {
  const author = { actor: `agent-${one.at}` };
  const beads = graph.list().map(({ id }) => id);
  if (one.do === "Create") {
    const [parent] = beads;
    await graph.transact(author, (tx) =>
      tx.create({ title: `by ${one.at}`, ...(one.parent && parent !== undefined ? { parent } : {}) }),
    );
    return;
  }
  if (one.do === "Flush") {
    await graph.flush();
    return;
  }
  if (!("bead" in one)) return;
  const id = beads[one.bead % Math.max(1, beads.length)];
  if (id === undefined) return;
  const other = beads[(one.bead + 1 + one.n) % beads.length] ?? id;
  try {
    await graph.transact(author, (tx) => {
      if (one.do === "Edit") tx.update(id, one.n % 2 === 0 ? { title: `t${one.n}` } : { priority: one.n });
      else if (one.do === "Claim") tx.claim(id, author.actor);
      else if (one.do === "Close") tx.close(id, { force: true, reason: `r${one.n}` });
      else if (one.do === "Reopen") tx.reopen(id);
      else if (one.do === "Delete") tx.delete(id);
      else if (one.do === "Label" && one.n % 2 === 0) tx.addLabel(id, `l${one.n}`);
      else if (one.do === "Label") tx.removeLabel(id, `l${one.n - 1}`);
      else if (one.do === "Comment") tx.comment(id, `c${one.n}`);
      else tx.addDependency(id, other, "blocks");
    });
  } catch (error) {
    // The rules may refuse; what they accept must converge.
    if (!(error instanceof TownError)) throw error;
  }
}

describe("clones that change and sync in any order", () => {
  test("given any history, when all have synced, then all hold the same and nothing acknowledged is missing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 25, maxLength: 60 }), fc.integer(), async (acts, seed) => {
        const world = await graphWorld(seed);
        await world.repository("/remote");
        const opened = [];
        for (const path of clones) opened.push(await world.open(path));
        const born = new Set<string>();
        const moved = new Map<string, string>();
        const sync = async (graph: GitGraph): Promise<void> => {
          const run = syncGraph(graph, { remote: "/remote", clock: world.clock, random: world.random });
          await world.clock.advance(5_000);
          const { taken } = await run;
          for (const { rekeyed } of taken)
            for (const [from, to] of rekeyed) {
              expect(graph.stored(to)).toBeDefined();
              moved.set(from, to);
            }
        };
        for (const one of acts) {
          await world.clock.advance(1 + (one.at % 2));
          const clone = opened[one.at];
          if (clone === undefined) continue;
          if (one.do === "Sync") await sync(clone.graph);
          else if (one.do === "Restart") {
            clone.kill();
            world.disk.crash();
            world.git.crash();
            // A power loss ends every process on the machine.
            for (let i = 0; i < opened.length; i++) {
              opened[i]?.kill();
              opened[i] = await world.open(clones[i]);
            }
          } else {
            await perform(world, clone.graph, one);
            for (const { id } of clone.graph.storedRecords()) born.add(id);
          }
        }
        for (let round = 0; round < 3; round++) for (const { graph } of opened) await sync(graph);
        const [first, ...others] = opened.map(({ graph }) => graph.storedRecords());
        for (const other of others) expect(other).toEqual(first);
        const ids = new Set(first?.map(({ id }) => id));
        // A child of a bead that got another id moves along, and its former id is nobody's then.
        const isThere = (id: string | undefined): boolean =>
          id !== undefined && (ids.has(id) || isThere(moved.get(id)));
        expect([...born].filter((id) => !isThere(id))).toEqual([]);
        const tips = new Set(opened.map(({ graph }) => graph.tip));
        expect(tips.size).toBe(1);
        for (const record of first ?? []) {
          if (record.status === "in_progress") expect(record.assignee).toBeDefined();
          if (record.status === "closed") expect(record.closed_at).toBeDefined();
          if (record.lease_expires_at !== undefined) expect(record.status).toBe("in_progress");
        }
        for (const { graph } of opened) await graph.close();
      }),
      { numRuns: fuzzRuns(40) },
    );
  }, 120_000);
});
