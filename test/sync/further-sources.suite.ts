import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Repository } from "../../src/ports/git.ts";
import type { SuiteSite } from "./source-sync.suite.ts";
import { HQ, MAIN, pool, poolText, RIG, roleText, SyncTown } from "./sync-site.ts";

const SHARED = { kind: "Source", name: "shared" };
const PERSON = { name: "Pat", email: "pat@example.org" };
const DOG = { kind: "Role", name: "dog" };
const dogText = (prompt: string) => `${roleText("dog", prompt)}  lifecycle: Persistent\n`;

const sourceText = (more = "", name = "shared") =>
  `apiVersion: town.dev/v1alpha1\nkind: Source\nmetadata:\n  name: ${name}\nspec:\n  url: ../apart.git\n${more}`;

/** What following further repositories means, for any git. */
export function describeFurtherSources(name: string, open: () => Promise<SuiteSite>): void {
  describe(`further sources on ${name}`, () => {
    let site: SuiteSite;
    let shared: Repository;
    let town: SyncTown;

    beforeEach(async () => {
      site = await open();
      shared = await site.git.init(`${site.base}/apart.git`, { bare: true, branch: "main" });
      town = await SyncTown.make(site, "town");
    });
    afterEach(() => site.close());

    /** Commits files to the shared repository as somebody else does. */
    async function share(files: Readonly<Record<string, string>>, parent?: string | null): Promise<string> {
      const { objects } = shared;
      const entries = await Promise.all(
        Object.entries(files).map(async ([file, text]) => ({
          mode: "100644" as const,
          name: file,
          id: await objects.writeBlob(text),
        })),
      );
      const folder = await objects.writeTree(entries.toSorted((a, b) => (a.name < b.name ? -1 : 1)));
      const tree = await objects.writeTree([{ mode: "040000", name: "manifests", id: folder }]);
      const tip = parent === undefined ? ((await shared.resolve(MAIN)) ?? null) : parent;
      const commit = await objects.writeCommit({
        tree,
        parents: tip === null ? [] : [tip],
        message: "shared\n",
        author: PERSON,
        committer: PERSON,
      });
      await shared.updateRefs([{ ref: MAIN, to: commit }], "share");
      return commit;
    }

    async function declare(more = "", others: Readonly<Record<string, string>> = {}): Promise<void> {
      await town.commit({ "rig.yaml": RIG, "sources/shared.yaml": sourceText(more), ...others });
      await town.settle();
    }

    const poke = async (at: number) => {
      const time = `2030-01-01T00:00:${String(at).padStart(2, "0")}Z`;
      await town.store.annotateRuntime(SHARED, { "runtime.town.dev/reconcile-requested-at": time });
      return town.settleSource("shared");
    };
    const status = () =>
      town.store.get(SHARED)?.status as {
        sync?: { status?: string; problems?: readonly { path: string; line: number; message: string }[] };
        health?: string;
      };

    test("given a repository, when followed, then its objects are there, read-only with their place, and follow it", async () => {
      const first = await share({ "a.yaml": poolText("a"), "b.yaml": poolText("b") });
      await declare();
      expect(await town.settleSource("shared")).toMatchObject({ status: "True", reason: "Applied" });
      expect(town.store.originOf(pool("a"))).toMatchObject({
        source: "shared",
        path: "manifests/a.yaml",
        line: 1,
        revision: first,
        readOnly: true,
      });
      await expect(town.edit(pool("a"), { replicas: 3 })).rejects.toMatchObject({
        code: 403,
        message: expect.stringMatching(/apart\.git\), manifests\/a\.yaml:1 at [0-9a-f]{40}/),
      });
      expect(status()).toMatchObject({
        health: "Healthy",
        sync: { status: "Synced", appliedRevision: `main@sha1:${first.slice(0, 12)}`, objects: 2 },
      });
      await share({ "a.yaml": poolText("a", 4) });
      expect(await town.settleSource("shared")).toMatchObject({ status: "True" });
      expect(town.replicas("a")).toBe(1);
      expect(await poke(1)).toMatchObject({ status: "True" });
      expect([town.replicas("a"), town.replicas("b")]).toEqual([4, undefined]);
      expect(status().sync).toMatchObject({ lastHandledReconcileAt: "2030-01-01T00:00:01Z" });
      const version = town.store.currentVersion();
      await town.settleSource("shared");
      expect(town.store.currentVersion()).toBe(version);
    });

    test("given a repository that does not answer, when looked at, then Unknown, nothing goes, also after a restart without journal", async () => {
      await share({ "a.yaml": poolText("a") });
      await declare();
      await town.settleSource("shared");
      const uid = town.store.get(pool("a"))?.metadata.uid;
      site.setReachable(false);
      expect(await poke(1)).toMatchObject({ status: "False", reason: "SourceUnreachable" });
      expect(status()).toMatchObject({ health: "Unknown", sync: { status: "Unknown" } });
      town = await town.reborn();
      await town.settle();
      expect(await town.settleSource("shared")).toMatchObject({ reason: "SourceUnreachable" });
      expect(town.store.get(pool("a"))?.metadata.uid).toBe(uid);
      site.setReachable(true);
      expect(await poke(2)).toMatchObject({ status: "True" });
    });

    test("given a source that nobody trusts, when it states commands, Sources, a Town or a built-in, then each is refused with its place and the rest is applied", async () => {
      await site.files.writeAtomic(`${site.base}/builtin/dog.yaml`, dogText("shipped"));
      const gates = "  merge:\n    gates:\n      - name: test\n        command: make test\n";
      const files = {
        "a.yaml": poolText("a"),
        "dog.yaml": dogText("theirs"),
        "provider.yaml":
          "apiVersion: town.dev/v1alpha1\nkind: Provider\nmetadata:\n  name: evil\nspec:\n  command: [sh]\n",
        "rig.yaml": RIG.replace("name: api", "name: web") + gates,
        "source.yaml": sourceText("  trusted: true\n", "other"),
        "town.yaml": "apiVersion: town.dev/v1alpha1\nkind: Town\nmetadata:\n  name: hq\nspec:\n  suspend: true\n",
      };
      await share(files);
      await declare();
      expect(await town.settleSource("shared")).toMatchObject({ reason: "ManifestsInvalid" });
      const places = (status().sync?.problems ?? []).map(({ path, line }) => `${path}:${line}`);
      expect(places).toEqual([
        "manifests/dog.yaml:4",
        "manifests/provider.yaml:6",
        "manifests/rig.yaml:10",
        "manifests/source.yaml:2",
        "manifests/town.yaml:2",
      ]);
      expect(town.replicas("a")).toBe(1);
      expect(town.town.spec["suspend"]).toBe(false);
      expect(town.store.get(DOG)?.spec["prompt"]).toBe("shipped");
      await declare("  trusted: true\n");
      await town.settleSource("shared");
      expect((status().sync?.problems ?? []).map(({ path }) => path)).toEqual(["manifests/town.yaml"]);
      expect(town.store.get(DOG)?.spec["prompt"]).toBe("theirs");
      await share({ "a.yaml": poolText("a") });
      await town.settle();
      expect(town.store.get(DOG)?.spec["prompt"]).toBe("theirs");
      await town.store.annotateRuntime(SHARED, { "runtime.town.dev/allow-prune": (await shared.resolve(MAIN)) ?? "" });
      await poke(1);
      expect(town.store.get(DOG)?.spec["prompt"]).toBe("shipped");
    });

    test("given a name that the town has, when the source declares it too, then it is refused with its place, and adopted by neither", async () => {
      await share({ "a.yaml": poolText("a", 9) });
      await declare("", { "a.yaml": poolText("a", 1) });
      expect(await town.settleSource("shared")).toMatchObject({
        message: expect.stringContaining(
          "manifests/a.yaml:4:9: AgentPool/api/a exists already in the town's own manifests",
        ),
      });
      expect(town.replicas("a")).toBe(1);
      await town.commit({ "a.yaml": null });
      await town.settle();
      expect(await poke(1)).toMatchObject({ status: "True" });
      expect(town.replicas("a")).toBe(9);
      await town.commit({ "a.yaml": poolText("a", 2) });
      expect(await town.settle()).toMatchObject({
        message: expect.stringContaining("exists already in source shared"),
      });
      expect(town.replicas("a")).toBe(9);
    });

    test("given a source that is suspended, when its repository changes, then nothing is applied until it is resumed", async () => {
      await share({ "a.yaml": poolText("a") });
      await declare();
      await town.settleSource("shared");
      await town.edit(SHARED, { suspend: true });
      await share({ "a.yaml": poolText("a", 5) });
      expect(await poke(1)).toMatchObject({ status: "True", reason: "Suspended" });
      expect(status().health).toBe("Suspended");
      expect(town.replicas("a")).toBe(1);
      await town.edit(SHARED, { suspend: false });
      expect(await poke(2)).toMatchObject({ reason: "Applied" });
      expect(town.replicas("a")).toBe(5);
    });

    test("given dependsOn, when the other is not applied, missing or depends back, then it waits and says for what", async () => {
      await share({ "a.yaml": poolText("a") });
      await declare("  dependsOn: [base]\n");
      expect(await town.settleSource("shared")).toMatchObject({
        reason: "DependencyNotReady",
        message: "waits for Source base, which does not exist",
      });
      const unresolved = (town.syncStatus["problems"] as readonly { path: string; line: number }[])[0];
      expect(unresolved).toMatchObject({ path: "manifests/sources/shared.yaml", line: 7 });
      await town.commit({ "sources/base.yaml": sourceText("  path: none\n  dependsOn: [shared]\n", "base") });
      expect(await town.settle()).toMatchObject({
        message: expect.stringMatching(/sources\/(base|shared)\.yaml:\d+:\d+/),
      });
      expect(await town.settleSource("shared")).toMatchObject({ message: "waits for Source base" });
      expect(town.replicas("a")).toBeUndefined();
      await town.commit({ "sources/base.yaml": sourceText("  path: none\n", "base") });
      expect(await town.settle()).toMatchObject({ status: "True" });
      await town.settleSource("base");
      expect(await town.settleSource("shared")).toMatchObject({ reason: "Applied" });
      expect(town.replicas("a")).toBe(1);
    });

    test("given a source with few objects, when its manifest goes, then they go with it and nothing of it is left", async () => {
      await share({ "a.yaml": poolText("a"), "b.yaml": poolText("b") });
      await declare();
      await town.settleSource("shared");
      await town.commit({ "sources/shared.yaml": null });
      await town.settle();
      expect(await town.settleSource("shared")).toBeUndefined();
      expect([town.replicas("a"), town.replicas("b")]).toEqual([undefined, undefined]);
      expect(await town.repository.listRefs("refs/town/sources/")).toEqual(new Map());
      expect([...(await town.repository.listRefs("refs/town/applied/")).keys()]).toEqual(["refs/town/applied/town"]);
    });

    test("given a source with a rig, when its manifest goes, then it waits for a person; with prune false its objects stay", async () => {
      const revision = await share({ "web.yaml": RIG.replace("name: api", "name: web") });
      await declare();
      await town.settleSource("shared");
      await town.commit({ "sources/shared.yaml": null });
      await town.settle();
      const held = await town.settleSource("shared");
      expect(held).toMatchObject({ reason: "PruneHeld" });
      expect(held?.message).toContain(`town reconcile source shared --allow-prune=${revision.slice(0, 12)}`);
      expect(town.store.list("Rig").length).toBe(2);
      await town.store.annotateRuntime(SHARED, { "runtime.town.dev/allow-prune": revision.slice(0, 12) });
      expect(await town.settleSource("shared")).toBeUndefined();
      expect(town.store.list("Rig").length).toBe(1);
    });

    test("given prune false, when documents or the source go, then the objects stay and the town can adopt them with their uid", async () => {
      await share({ "a.yaml": poolText("a"), "b.yaml": poolText("b") });
      await declare("  prune: false\n");
      await town.settleSource("shared");
      await share({ "a.yaml": poolText("a") });
      expect(await poke(1)).toMatchObject({ status: "True" });
      expect(town.replicas("b")).toBe(1);
      const uid = town.store.get(pool("a"))?.metadata.uid;
      await town.commit({ "sources/shared.yaml": null });
      await town.settle();
      expect(await town.settleSource("shared")).toBeUndefined();
      await town.commit({ "a.yaml": poolText("a", 3) });
      expect(await town.settle()).toMatchObject({ status: "True" });
      expect([town.replicas("a"), town.store.get(pool("a"))?.metadata.uid]).toEqual([3, uid]);
    });

    test("given a force-push that empties it, when followed, then it is told and nothing is pruned", async () => {
      await share({ "a.yaml": poolText("a") });
      await declare();
      await town.settleSource("shared");
      await share({}, null);
      expect(await poke(1)).toMatchObject({ reason: "SourceEmpty" });
      expect(town.events(SHARED)).toContain("HistoryRewritten");
      expect(town.replicas("a")).toBe(1);
    });

    test("given the name of the town's own source, when declared, then it is refused and the town's inventory is safe", async () => {
      await town.commit({ "rig.yaml": RIG, "s.yaml": sourceText("", "town") });
      await town.settle();
      expect(await town.settleSource("town")).toMatchObject({ reason: "NameReserved" });
      await town.commit({ "s.yaml": null });
      await town.settle();
      expect(town.store.get({ kind: "Source", name: "town" })).toBeUndefined();
      expect(town.store.get(HQ)).toBeDefined();
      expect((await town.repository.listRefs("refs/town/applied/")).size).toBe(1);
    });
  });
}
