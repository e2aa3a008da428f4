import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { offlineSite, type OfflineSite, type Ran } from "./offline-site.ts";

let site: OfflineSite;
beforeEach(() => {
  site = offlineSite();
});
afterEach(() => site.close());

const branch = "refs/heads/town/work";

interface Bead {
  readonly id: string;
  readonly status: string;
  readonly assignee?: string;
  readonly title: string;
}

/** Clones of one bare repository, with beads that all of them have. */
async function clones(
  count: number,
  beads: number,
): Promise<{ readonly paths: readonly string[]; readonly remote: string }> {
  const first = site.repository("first");
  const remote = site.path("remote.git");
  site.git(site.root, "clone", "--quiet", "--bare", first, remote);
  site.git(first, "remote", "add", "origin", remote);
  await site.bd(first, ["init", "--prefix", "api"]);
  for (let i = 0; i < beads; i += 1) await site.bd(first, ["create", `bead ${i}`]);
  expect((await site.bd(first, ["sync"])).exitCode).toBe(0);
  const paths = [first];
  for (let i = 1; i < count; i += 1) {
    const path = site.path(`clone-${i}`);
    site.git(site.root, "clone", "--quiet", remote, path);
    paths.push(path);
  }
  return { paths, remote };
}

const as = (i: number) => ({ env: { BEADS_ACTOR: `agent-${i}` } });

async function all(path: string): Promise<readonly Bead[]> {
  const { stdout } = await site.bd(path, ["list", "--all", "--limit", "0", "--flat", "--sort", "id", "--json"]);
  return JSON.parse(stdout) as Bead[];
}

async function settle(paths: readonly string[]): Promise<readonly Bead[]> {
  for (let round = 0; round < 2; round += 1)
    for (const path of paths) expect((await site.bd(path, ["sync"])).exitCode).toBe(0);
  const [first = [], ...others] = await Promise.all(paths.map(all));
  for (const other of others) expect(other).toEqual(first);
  return first;
}

describe("clones that share a remote", () => {
  test.each([
    2, 3, 5,
  ])("given %i clones that want the same beads at once, when each claims in front of the others, then every bead has one winner and nobody else was told it is theirs", async (count) => {
    const beads = 4;
    const { paths } = await clones(count, beads);
    const random = seededRandom(count);
    const won: { readonly id: string; readonly actor: string }[] = [];
    const told: string[] = [];
    const work = async (path: string, i: number): Promise<void> => {
      for (let round = 0; round < beads; round += 1) {
        await new Promise((done) => setTimeout(done, random.float() * 30));
        const ran: Ran = await site.bd(path, ["ready", "--claim", "--sync", "--json"], as(i));
        const [bead] = ran.exitCode === 0 ? (JSON.parse(ran.stdout) as Bead[]) : [];
        if (bead !== undefined) won.push({ id: bead.id, actor: `agent-${i}` });
        else told.push(ran.stderr);
      }
    };
    await Promise.all(paths.map(work));
    expect(new Set(won.map(({ id }) => id)).size).toBe(won.length);
    const last = await settle(paths);
    for (const { id, actor } of won) expect(last.find((bead) => bead.id === id)?.assignee).toBe(actor);
    // Whoever was not told that it has one has none.
    for (const { id, assignee } of last)
      if (assignee !== undefined) expect(won).toContainEqual({ id, actor: assignee });
    expect(won.length).toBeGreaterThan(0);
  });

  test("given a claim that died between its commit and its push, when another clone has claimed meanwhile, then the next sync says so and gives it up", async () => {
    const { paths } = await clones(2, 1);
    const [here = "", there = ""] = paths;
    const [bead] = await all(here);
    // What a process leaves that is killed before it pushes: a claim that is on this clone's branch alone.
    await site.bd(here, ["update", bead?.id ?? "", "--claim"], as(0));
    expect((await site.bd(there, ["update", bead?.id ?? "", "--claim", "--sync"], as(1))).exitCode).toBe(0);
    const { stderr } = await site.bd(here, ["sync"], as(0));
    expect(stderr).toContain("was claimed by agent-1 before agent-0");
    expect(await settle(paths)).toMatchObject([{ assignee: "agent-1" }]);
  });

  test("given a remote that cannot be reached, when claimed in front of others, then nothing is claimed; a local claim is kept", async () => {
    const { paths, remote } = await clones(2, 2);
    const [here = ""] = paths;
    const [one, two] = await all(here);
    rmSync(remote, { recursive: true });
    const refused = await site.bd(here, ["update", one?.id ?? "", "--claim", "--sync"], as(0));
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("cannot claim in front of other clones");
    expect((await site.bd(here, ["update", two?.id ?? "", "--claim"], as(0))).exitCode).toBe(0);
    expect((await all(here)).map(({ assignee }) => assignee)).toEqual([undefined, "agent-0"]);
  });

  test.each([
    { what: "set back to an older commit", damage: (tip: string) => ["update-ref", branch, `${tip}~1`] },
    { what: "removed", damage: () => ["update-ref", "-d", branch] },
    { what: "pushed over with another history", damage: () => ["update-ref", branch, "refs/heads/main"] },
  ])("given a work branch of the remote that is $what, when the clones sync again, then nothing of either is lost", async ({
    damage,
  }) => {
    const { paths, remote } = await clones(2, 2);
    const [here = "", there = ""] = paths;
    await site.bd(here, ["create", "of here", "-d", "before the damage"]);
    await site.bd(here, ["sync"]);
    await site.bd(there, ["create", "of there, not exchanged"]);
    site.git(remote, ...damage(site.git(remote, "rev-parse", branch)));
    await site.bd(here, ["create", "after the damage"]);
    const titles = (await settle([there, here])).map(({ title }) => title).sort();
    expect(titles).toEqual(["after the damage", "bead 0", "bead 1", "of here", "of there, not exchanged"]);
    expect(site.git(remote, "fsck", "--strict", "--no-dangling")).toBe("");
  });

  test("given a clone whose own work branch is reset or removed by hand, when used again, then it has everything", async () => {
    const { paths } = await clones(1, 3);
    const [here = ""] = paths;
    await site.bd(here, ["create", "last"]);
    for (const args of [
      ["update-ref", branch, `${branch}~2`],
      ["update-ref", "-d", branch],
    ]) {
      site.git(here, ...args);
      expect(await all(here)).toHaveLength(4);
      expect((await site.bd(here, ["flush"])).exitCode).toBe(0);
      expect(site.git(here, "ls-tree", "-r", "--name-only", "town/work").match(/api-\w+\.json/g)).toHaveLength(4);
    }
  });
});
