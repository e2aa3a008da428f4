import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sealedMessage } from "../../src/manifests/api-commits.ts";
import { fetchRemote } from "../../src/manifests/remote-truth.ts";
import {
  HQ,
  MAIN,
  PAT,
  pool,
  poolText,
  RIG,
  roleText,
  type SitePorts,
  SyncTown,
  TOAST,
  townText,
} from "./sync-site.ts";

export interface SuiteSite extends SitePorts {
  /** Makes the remote answer or not. */
  setReachable(reachable: boolean): void;
  close(): void | Promise<void>;
}

const API_POOLS = { "rig.yaml": RIG, "pools/a.yaml": poolText("a"), "pools/b.yaml": poolText("b") };

/** What following git means, for any git. */
export function describeSourceSync(name: string, open: () => Promise<SuiteSite>): void {
  describe(`the desired state of a town on ${name}`, () => {
    let site: SuiteSite;
    beforeEach(async () => {
      site = await open();
    });
    afterEach(() => site.close());

    async function aTown(manifests: Readonly<Record<string, string>> = API_POOLS): Promise<SyncTown> {
      const town = await SyncTown.make(site, "town");
      await town.commit(manifests);
      return town;
    }

    describe("its own branch", () => {
      test("given commits, when settled, then objects follow and a second look does nothing", async () => {
        const town = await aTown();
        expect(await town.settle()).toMatchObject({ status: "True", reason: "Applied" });
        const commit = await town.commit({ "pools/a.yaml": poolText("a", 4), "pools/b.yaml": null });
        expect(await town.settle()).toMatchObject({ status: "True" });
        expect([town.replicas("a"), town.replicas("b")]).toEqual([4, undefined]);
        expect(town.syncStatus).toMatchObject({
          status: "Synced",
          appliedRevision: `main@sha1:${commit.slice(0, 12)}`,
          objects: 2,
        });
        expect((town.syncStatus["history"] as readonly unknown[]).length).toBe(2);
        const version = town.store.currentVersion();
        await town.settle();
        await town.sync();
        expect(town.store.currentVersion()).toBe(version);
      });

      test("given a file that moves, when settled, then the object is the same one", async () => {
        const town = await aTown();
        await town.settle();
        const uid = town.store.get(pool("a"))?.metadata.uid;
        await town.commit({ "pools/a.yaml": null, "elsewhere/a.yaml": poolText("a") });
        await town.settle();
        expect(town.store.get(pool("a"))?.metadata.uid).toBe(uid);
        expect(town.store.originOf(pool("a"))?.path).toBe("manifests/elsewhere/a.yaml");
      });

      test("given a force-push, when settled, then it is an ordinary sync with an Event", async () => {
        const town = await aTown();
        await town.settle();
        const former = (await town.repository.resolve(MAIN)) ?? "";
        await town.commit({ "pools/a.yaml": poolText("a", 4) });
        await town.settle();
        expect(town.events(HQ)).not.toContain("HistoryRewritten");
        await town.repository.updateRefs([{ ref: MAIN, to: former }], "reset");
        expect(await town.settle()).toMatchObject({ reason: "Applied" });
        expect(town.replicas("a")).toBe(1);
        expect(town.events(HQ)).toContain("HistoryRewritten");
      });

      test("given a lost journal, when a new controller syncs, then every object has its former uid", async () => {
        const town = await aTown();
        await town.settle();
        const uid = town.store.get(pool("a"))?.metadata.uid;
        const next = await town.reborn();
        await next.settle();
        expect(next.store.get(pool("a"))?.metadata.uid).toBe(uid);
      });

      test("given a journal that lost that an object goes, when a new controller syncs, then it goes still", async () => {
        const town = await aTown();
        await town.settle();
        await town.store.setFinalizer(pool("a"), "town.dev/agents", true);
        const object = town.store.get(pool("a"));
        const origin = town.store.originOf(pool("a"));
        if (object === undefined || origin === undefined) throw new Error("no pool");
        await town.commit({ "pools/a.yaml": null });
        await town.settle();
        expect(town.store.get(pool("a"))?.metadata.deletionTimestamp).toBeDefined();
        const next = await town.reborn();
        await next.store.declare(pool("a"), { spec: object.spec, uid: object.metadata.uid, origin });
        await next.store.setFinalizer(pool("a"), "town.dev/agents", true);
        await next.settle();
        expect(next.store.get(pool("a"))?.metadata.deletionTimestamp).toBeDefined();
        await next.store.setFinalizer(pool("a"), "town.dev/agents", false);
        expect(next.store.get(pool("a"))).toBeUndefined();
      });

      test("given an object that is not what its document says, when synced again, then it is put right and told", async () => {
        const town = await aTown();
        await town.settle();
        const object = town.store.get(pool("a"));
        const origin = town.store.originOf(pool("a"));
        if (object === undefined || origin === undefined) throw new Error("no pool");
        await town.store.declare(pool("a"), { spec: { ...object.spec, replicas: 9 }, origin });
        await town.sync();
        expect(town.replicas("a")).toBe(1);
        expect(town.events(pool("a"))).toContain("DriftRepaired");
      });

      test("given a host fact that changes, when settled, then its objects follow and that is no drift", async () => {
        const town = await aTown({ "rig.yaml": RIG.replace("/project", `"\${local:project}"`) });
        expect(await town.settle()).toMatchObject({
          reason: "ManifestsInvalid",
          message: expect.stringContaining("rig.yaml:6:9"),
        });
        await town.save("town.local.yaml", "project: /one\n");
        town.desired.sync.touch("Locals");
        await town.settle();
        await town.save("town.local.yaml", "project: /two\n");
        town.desired.sync.touch("Locals");
        expect(await town.settle()).toMatchObject({ status: "True" });
        expect(town.store.get({ kind: "Rig", name: "api" })?.spec["path"]).toBe("/two");
        expect(town.events({ kind: "Rig", name: "api" })).not.toContain("DriftRepaired");
      });

      test("given mode worktree, when a file is saved, then it is in force without a commit", async () => {
        const town = await aTown({ ...API_POOLS, "hq.yaml": townText("    mode: worktree\n") });
        await town.settle();
        await town.save("manifests/pools/a.yaml", poolText("a", 7));
        await town.settle();
        expect(town.replicas("a")).toBe(1);
        town.desired.sync.touch("Manifests");
        expect(await town.settle()).toMatchObject({ message: "applied worktree" });
        expect(town.replicas("a")).toBe(7);
      });
    });

    describe("pruning", () => {
      const many = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`p${at}.yaml`, poolText(`p${at}`)]));

      test("given a commit that removes most objects, when settled, then it waits until a person allows that revision", async () => {
        const town = await aTown({ "rig.yaml": RIG, ...many });
        await town.settle();
        const kept = { "p0.yaml": many["p0.yaml"] ?? "" };
        const removed = Object.fromEntries(Object.keys(many).map((path) => [path, kept[path as "p0.yaml"] ?? null]));
        const commit = await town.commit(removed);
        const held = await town.settle();
        expect(held).toMatchObject({ status: "False", reason: "PruneHeld" });
        expect(held?.message).toContain(`town reconcile --allow-prune=${commit.slice(0, 12)}`);
        expect(town.syncStatus).toMatchObject({ status: "OutOfSync" });
        await town.annotate({ "runtime.town.dev/allow-prune": "main@sha1:0000000" });
        expect(await town.settle()).toMatchObject({ reason: "PruneHeld" });
        await town.annotate({ "runtime.town.dev/allow-prune": `main@sha1:${commit.slice(0, 12)}` });
        expect(await town.settle()).toMatchObject({ status: "True", reason: "Applied" });
        expect(town.store.list("AgentPool").map(({ metadata }) => metadata.name)).toEqual(["p0"]);
      });

      test("given a rig deleted through the API, when its commit is synced, then no guard holds it, also after a crash", async () => {
        const town = await aTown({ ...API_POOLS, "web.yaml": RIG.replace("name: api", "name: web") });
        await town.settle();
        await town.remove({ kind: "Rig", name: "web" });
        expect(town.store.get({ kind: "Rig", name: "web" })).toBeUndefined();
        const byHand = await town.commit({ "rig.yaml": null });
        const next = await town.reborn();
        expect(await next.settle()).toMatchObject({
          reason: "PruneHeld",
          message: expect.stringContaining(byHand.slice(0, 12)),
        });
        expect(next.store.list("Rig").map(({ metadata }) => metadata.name)).toEqual(["api"]);
      });

      test("given an object that asks to be kept, when its document goes, then it stays", async () => {
        const keep = poolText("b", 1, "  annotations:\n    town.dev/prune: disabled\n");
        const town = await aTown({ ...API_POOLS, "pools/b.yaml": keep });
        await town.settle();
        await town.commit({ "pools/b.yaml": null });
        await town.settle();
        expect(town.replicas("b")).toBe(1);
      });

      test("given a folder that becomes empty, when settled, then nothing goes", async () => {
        const town = await aTown();
        await town.settle();
        await town.commit({ "rig.yaml": null, "pools/a.yaml": null, "pools/b.yaml": null });
        expect(await town.settle()).toMatchObject({ reason: "SourceEmpty" });
        expect(town.replicas("a")).toBe(1);
      });
    });

    describe("what comes with the program", () => {
      const dog = { kind: "Role", name: "dog" };
      const spec = "  lifecycle: Persistent\n";
      beforeEach(() => site.files.makeDirectory(`${site.base}/builtin`));

      test("given a manifest of the town, when it comes and goes, then it overrides and the built-in returns", async () => {
        await site.files.writeAtomic(`${site.base}/builtin/dog.yaml`, roleText("dog", "shipped") + spec);
        const town = await aTown();
        await town.settle();
        expect(town.store.get(dog)?.spec["prompt"]).toBe("shipped");
        await town.commit({ "dog.yaml": roleText("dog", "mine") + spec });
        await town.settle();
        expect([town.store.get(dog)?.spec["prompt"], town.store.originOf(dog)?.source]).toEqual(["mine", "town"]);
        await town.commit({ "dog.yaml": null });
        await town.settle();
        expect([town.store.get(dog)?.spec["prompt"], town.store.originOf(dog)?.source]).toEqual(["shipped", "builtin"]);
        expect(town.events(dog)).toContain("RevertedToBuiltin");
      });

      test("given an edit through the API, when written, then the town has a manifest of its own; deleting is refused", async () => {
        await site.files.writeAtomic(`${site.base}/builtin/dog.yaml`, roleText("dog", "shipped") + spec);
        const town = await aTown();
        await town.settle();
        await expect(town.remove(dog)).rejects.toMatchObject({
          code: 403,
          message: expect.stringContaining("comes with the program"),
        });
        await town.edit(dog, { prompt: "mine" });
        expect(town.store.originOf(dog)).toMatchObject({ source: "town", path: "manifests/roles/dog.yaml" });
        await town.remove(dog);
        expect(town.store.get(dog)?.spec["prompt"]).toBe("shipped");
      });

      test("given no Town manifest, when suspended through the API, then one is written; when it goes, the defaults return", async () => {
        const town = await aTown();
        await town.settle();
        await town.edit(HQ, { suspend: true });
        expect(await town.settle()).toMatchObject({ reason: "Suspended" });
        await town.remove(HQ);
        expect(town.town.spec["suspend"]).toBe(false);
      });
    });

    describe("commits of agents", () => {
      const toast = { author: TOAST.name };

      test("given a commit of an agent by git, when settled, then it and what follows is held until a person approves", async () => {
        const town = await aTown();
        await town.settle();
        const commit = await town.commit({ "pools/a.yaml": poolText("a", 50) }, toast);
        const later = await town.commit({ "pools/b.yaml": poolText("b", 2) });
        const held = await town.settle();
        expect(held).toMatchObject({ status: "False", reason: "UnauthorizedCommit" });
        expect(held?.message).toContain(`town reconcile --approve=${commit.slice(0, 12)}`);
        expect([town.replicas("a"), town.replicas("b")]).toEqual([1, 1]);
        expect(town.syncStatus).toMatchObject({
          status: "OutOfSync",
          attemptedRevision: `main@sha1:${later.slice(0, 12)}`,
        });
        await expect(town.edit(pool("b"), { suspend: true })).rejects.toMatchObject({
          reason: "CommitNotApplied",
          message: expect.stringContaining("api/polecats/toast"),
        });
        await town.annotate({ "runtime.town.dev/approve": commit.slice(0, 12) });
        expect(await town.settle()).toMatchObject({ status: "True" });
        expect([town.replicas("a"), town.replicas("b")]).toEqual([50, 2]);
        expect(town.store.get(pool("b"))?.spec["suspend"]).toBe(true);
      });

      test("given a trailer that names an agent, when settled, then the commit is held whoever its author is", async () => {
        const town = await aTown();
        await town.settle();
        await town.commit(
          { "pools/a.yaml": poolText("a", 50) },
          { message: "more\n\nTown-Agent: api/polecats/toast\n" },
        );
        expect(await town.settle()).toMatchObject({ reason: "UnauthorizedCommit" });
      });

      test("given an agent's change through the API, when a new controller looks, then it is in force and its record is gone", async () => {
        const town = await aTown();
        await town.settle();
        await town.edit(pool("a"), { replicas: 3 }, TOAST);
        expect(town.replicas("a")).toBe(3);
        expect(await town.repository.listRefs("refs/town/api-commits/")).toEqual(new Map());
        expect(await (await town.reborn()).settle()).toMatchObject({ status: "True" });
      });

      test("given an agent that changes other files, when settled, then nothing is held", async () => {
        const town = await aTown();
        await town.settle();
        await town.save("notes.txt", "an idea\n");
        await town.commit({}, toast);
        expect(await town.settle()).toMatchObject({ status: "True" });
      });

      test("given a person's merge of an agent's branch, when settled, then the merge is the approval", async () => {
        const town = await aTown();
        await town.settle();
        const { objects } = town.repository;
        const tip = (await town.repository.resolve(MAIN)) ?? "";
        await town.commit({ "pools/a.yaml": poolText("a", 5) }, toast);
        const theirs = (await town.repository.resolve(MAIN)) ?? "";
        const tree = (await objects.readCommit(theirs))?.tree ?? "";
        const person = { name: PAT.name, email: "pat@example.org" };
        const merge = await objects.writeCommit({
          tree,
          parents: [tip, theirs],
          message: "merge\n",
          author: person,
          committer: person,
        });
        await town.repository.updateRefs([{ ref: MAIN, to: merge }], "merge");
        expect(await town.settle()).toMatchObject({ status: "True" });
        expect(town.replicas("a")).toBe(5);
      });
    });

    describe("a remote as the truth", () => {
      const remote = `    remote:\n      url: origin\n`;

      async function twoTowns(
        sync = remote,
      ): Promise<{ one: SyncTown; two: SyncTown; push: (town: SyncTown) => Promise<string> }> {
        const shared = `${site.base}/apart.git`;
        const upstream = await site.git.init(shared, { bare: true, branch: "main" });
        await upstream.setConfig("receive.denyDeleteCurrent", "ignore");
        const one = await aTown({ ...API_POOLS, "hq.yaml": townText(sync) });
        const push = async (town: SyncTown): Promise<string> => {
          const from = (await town.repository.resolve(MAIN)) ?? "";
          const expected = (await upstream.resolve(MAIN)) ?? null;
          expect(await town.repository.push("origin", [{ from, ref: MAIN, expect: expected }])).toBe("Pushed");
          return from;
        };
        await one.repository.setConfig("remote.origin.url", shared);
        const first = await push(one);
        const two = await SyncTown.make(site, "two");
        await two.repository.setConfig("remote.origin.url", shared);
        await fetchRemote(two.repository, { remote: "origin", branch: MAIN });
        await two.repository.updateRefs([{ ref: MAIN, to: first, from: null }], "clone");
        await two.repository.removeStaleLocks({});
        for (const [path, text] of Object.entries({ ...API_POOLS, "hq.yaml": townText(sync) }))
          await two.save(`manifests/${path}`, text);
        await two.repository.commitAll(two.root, "stage\n", PERSON, PERSON);
        for (const town of [one, two]) expect(await town.settle()).toMatchObject({ status: "True" });
        return { one, two, push };
      }
      const PERSON = { name: "Pat", email: "pat@example.org" };
      const poke = async (town: SyncTown, at: number) => {
        await town.annotate({
          "runtime.town.dev/reconcile-requested-at": `2030-01-01T00:00:${String(at).padStart(2, "0")}Z`,
        });
        return town.settle();
      };

      test("given two towns, when each writes, then both are on the remote before they are acknowledged, and each sees the other's", async () => {
        const { one, two } = await twoTowns();
        await one.edit(pool("a"), { replicas: 2 });
        await two.edit(pool("b"), { replicas: 3 });
        expect([two.replicas("a"), two.replicas("b")]).toEqual([2, 3]);
        expect(await poke(one, 1)).toMatchObject({ status: "True" });
        expect([one.replicas("a"), one.replicas("b")]).toEqual([2, 3]);
        expect(one.syncStatus).toMatchObject({ status: "Synced", lastHandledReconcileAt: "2030-01-01T00:00:01Z" });
        expect(await one.repository.resolve(MAIN)).toBe(await two.repository.resolve(MAIN));
        for (const town of [one, two])
          expect(await town.repository.worktreeStatus(town.root)).toMatchObject({ changed: [], untracked: [] });
      });

      test("given an agent's change through the API of one town, when the other looks, then it is in force there, too", async () => {
        const { one, two } = await twoTowns();
        await one.edit(pool("a"), { replicas: 2 }, TOAST);
        await one.edit(pool("b"), { replicas: 3 });
        expect(await poke(two, 1)).toMatchObject({ status: "True" });
        expect([two.replicas("a"), two.replicas("b")]).toEqual([2, 3]);
        expect(await (await two.reborn()).settle()).toMatchObject({ status: "True" });
      });

      test("given an agent's commit by git with the words of another commit, when the other town looks, then it is held", async () => {
        const { one, two, push } = await twoTowns();
        await one.edit(pool("a"), { replicas: 2 }, TOAST);
        const tip = (await one.repository.resolve(MAIN)) ?? "";
        const { message = "" } = (await one.repository.objects.readCommit(tip)) ?? {};
        expect(message).toContain("Town-Api-Commit:");
        const by = { author: TOAST.name, message };
        await one.commit({ "pools/b.yaml": poolText("b", 50) }, by);
        await push(one);
        expect(await poke(two, 1)).toMatchObject({ reason: "UnauthorizedCommit" });
        expect([two.replicas("a"), two.replicas("b")]).toEqual([2, 1]);
      });

      test("given one town alone, when an agent's commit by git has the seal of the API, then it is held all the same", async () => {
        const town = await aTown();
        await town.settle();
        const { objects } = town.repository;
        const tip = (await town.repository.resolve(MAIN)) ?? "";
        await town.commit({ "pools/a.yaml": poolText("a", 50) }, { author: TOAST.name });
        const made = await objects.readCommit((await town.repository.resolve(MAIN)) ?? "");
        if (made === undefined) throw new Error("nothing was committed");
        const forged = await objects.writeCommit({ ...made, parents: [tip], message: sealedMessage(TOAST, made) });
        await town.repository.updateRefs([{ ref: MAIN, to: forged }], "forged");
        expect(await town.settle()).toMatchObject({ reason: "UnauthorizedCommit" });
      });

      test("given a remote that does not answer, when settled, then Unknown with both revisions, everything stays, writes are refused, and it mends itself", async () => {
        const { one, two } = await twoTowns();
        await two.edit(pool("a"), { replicas: 2 });
        site.setReachable(false);
        const unknown = await poke(one, 1);
        expect(unknown).toMatchObject({ status: "False", reason: "RemoteUnreachable" });
        expect(unknown?.message).toContain((await one.repository.resolve(MAIN))?.slice(0, 12));
        expect(one.syncStatus).toMatchObject({ status: "Unknown" });
        expect(one.replicas("a")).toBe(1);
        await expect(one.edit(pool("b"), { replicas: 4 })).rejects.toMatchObject({ code: 503 });
        const next = await one.reborn();
        await next.settle();
        expect(next.replicas("a")).toBe(1);
        site.setReachable(true);
        expect(await poke(one, 2)).toMatchObject({ status: "True" });
        expect(one.replicas("a")).toBe(2);
      });

      test("given both sides with commits of their own, when settled, then Unknown with both revisions and nothing is merged", async () => {
        const { one, two, push } = await twoTowns();
        await two.edit(pool("a"), { replicas: 2 });
        const mine = await one.commit({ "pools/b.yaml": poolText("b", 9) });
        const before = await one.settle();
        expect(before).toMatchObject({
          reason: "CommitsNotPushed",
          message: expect.stringContaining("git push origin main"),
        });
        const diverged = await poke(one, 1);
        const theirs = (await two.repository.resolve(MAIN)) ?? "";
        expect(diverged).toMatchObject({ status: "False", reason: "RemoteDiverged" });
        for (const id of [mine, theirs]) expect(diverged?.message).toContain(id.slice(0, 12));
        expect(one.syncStatus).toMatchObject({ status: "Unknown" });
        expect([one.replicas("a"), one.replicas("b")]).toEqual([1, 1]);
        await expect(one.edit(pool("b"), { replicas: 4 })).rejects.toMatchObject({ code: 409 });
        expect(await one.repository.resolve(MAIN)).toBe(mine);
        // The person decides: theirs goes.
        await push(one);
        expect(await poke(one, 2)).toMatchObject({ status: "True" });
        expect([one.replicas("a"), one.replicas("b")]).toEqual([1, 9]);
      });

      test("given local commits, when they are pushed by hand, then they are in force without a fetch", async () => {
        const { one, push } = await twoTowns();
        await one.commit({ "pools/b.yaml": poolText("b", 9) });
        expect(await one.settle()).toMatchObject({ reason: "CommitsNotPushed" });
        expect(one.replicas("b")).toBe(1);
        const pushed = await push(one);
        await one.repository.updateRefs([{ ref: "refs/remotes/origin/main", to: pushed }], "as git push does");
        expect(await one.settle()).toMatchObject({ status: "True" });
        expect(one.replicas("b")).toBe(9);
      });

      test("given a force-push on the remote, when settled, then it is followed with an Event, no local commit moves, and writes go on", async () => {
        const { one, two, push } = await twoTowns();
        const base = (await two.repository.resolve(MAIN)) ?? "";
        await two.edit(pool("a"), { replicas: 2 });
        await poke(one, 1);
        const local = (await one.repository.resolve(MAIN)) ?? "";
        await two.repository.updateRefs([{ ref: MAIN, to: base }], "reset");
        await push(two);
        expect(await poke(one, 2)).toMatchObject({ status: "True" });
        expect(one.replicas("a")).toBe(1);
        expect(one.events(HQ)).toContain("HistoryRewritten");
        expect(await one.repository.resolve(MAIN)).toBe(local);
        await one.edit(pool("b"), { replicas: 6 });
        expect([one.replicas("a"), one.replicas("b")]).toEqual([1, 6]);
      });

      test("given a commit that makes a remote the truth, when it is not pushed yet, then it stays in force and says what to do", async () => {
        const { one, push } = await twoTowns("    interval: 1m\n");
        await one.commit({ "hq.yaml": townText(remote), "pools/a.yaml": poolText("a", 3) });
        expect(await one.settle()).toMatchObject({ reason: "CommitsNotPushed" });
        expect(one.replicas("a")).toBe(3);
        await push(one);
        expect(await poke(one, 1)).toMatchObject({ status: "True" });
      });

      test("given changes in the checkout, when the remote moves on, then it is in force and the checkout is left alone", async () => {
        const { one, two } = await twoTowns();
        await two.edit(pool("a"), { replicas: 2 });
        await one.save("manifests/pools/a.yaml", poolText("a", 77));
        expect(await poke(one, 1)).toMatchObject({ reason: "CheckoutBehind" });
        expect(one.replicas("a")).toBe(2);
        expect(await site.files.readText(`${one.root}/manifests/pools/a.yaml`)).toBe(poolText("a", 77));
      });

      test("given a branch that goes from the remote, when settled, then Unknown and nothing is pruned", async () => {
        const { one, two } = await twoTowns();
        const expected = (await two.repository.resolve(MAIN)) ?? null;
        expect(await two.repository.push("origin", [{ from: null, ref: MAIN, expect: expected }])).toBe("Pushed");
        expect(await poke(one, 1)).toMatchObject({ reason: "RemoteBranchMissing" });
        expect([one.replicas("a"), one.replicas("b")]).toEqual([1, 1]);
        await expect(one.edit(pool("b"), { replicas: 4 })).rejects.toMatchObject({ code: 409 });
      });

      test("given writes Branch or Refuse in the Town, when written, then 403 and the branch does not move", async () => {
        const town = await aTown({ ...API_POOLS, "hq.yaml": townText("    writes: Refuse\n") });
        await town.settle();
        const change = () => town.edit(pool("a"), { replicas: 2 });
        await expect(change()).rejects.toMatchObject({ code: 403, message: expect.stringContaining("Refuse") });
        const tip = await town.commit({ "hq.yaml": townText("    writes: Branch\n") });
        await town.settle();
        await expect(change()).rejects.toMatchObject({
          code: 403,
          message: expect.stringMatching(/town\/changes\/[0-9a-f]{12}/),
        });
        expect(await town.repository.resolve(MAIN)).toBe(tip);
        expect(town.replicas("a")).toBe(1);
      });
    });
  });
}
