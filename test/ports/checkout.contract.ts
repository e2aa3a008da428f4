import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LockedCheckout } from "../../src/ports/checkout.ts";
import type { Repository } from "../../src/ports/git.ts";
import type { GitSite } from "./git.contract.ts";

const ada = { name: "Ada", email: "ada@example.com", timeMs: 1_700_000_000_000 };
const MAIN = "refs/heads/main";

/** What `lockCheckout` of every Repository does. */
export function checkoutContract(name: string, openSite: () => Promise<GitSite>): void {
  describe(`Checkout: ${name}`, () => {
    let site: GitSite;
    let repository: Repository;
    let path: string;
    beforeEach(async () => {
      site = await openSite();
      path = `${site.root}/town repo`;
      repository = await site.git.init(path, { bare: false, branch: "main" });
      await site.write(`${path}/manifests/a.yaml`, "a: 1\n");
      await site.write(`${path}/manifests/b.yaml`, "b: 1\n");
      await site.write(`${path}/run.sh`, "#!/bin/sh\n", 0o755);
      await repository.commitAll(path, "first", ada, ada);
    });
    afterEach(() => site.close());

    async function locked(): Promise<LockedCheckout> {
      const lock = await repository.lockCheckout(MAIN);
      if (lock.state !== "Locked") throw new Error(lock.state);
      return lock.checkout;
    }
    const idOf = (text: string) => repository.objects.writeBlob(text);

    it("given a clean checkout, when inspected, then index and disk are those of HEAD", async () => {
      const checkout = await locked();
      const a = { mode: "100644", id: await idOf("a: 1\n") };
      const found = await checkout.inspect(["manifests/a.yaml", "run.sh", "nowhere.yaml", "manifests"]);
      expect(found.get("manifests/a.yaml")).toEqual({ index: a, disk: a });
      expect(found.get("run.sh")?.disk).toMatchObject({ mode: "100755" });
      expect(found.get("nowhere.yaml")).toEqual({ index: undefined, disk: undefined });
      expect(found.get("manifests")).toEqual({ index: undefined, disk: "Other" });
      await checkout.release();
    });

    it("given edited, removed and new files, when inspected, then the disk shows them", async () => {
      await site.write(`${path}/manifests/a.yaml`, "a: 2\n");
      await site.remove(`${path}/manifests/b.yaml`);
      await site.write(`${path}/manifests/new.yaml`, "n: 1\n");
      const checkout = await locked();
      const found = await checkout.inspect(["manifests/a.yaml", "manifests/b.yaml", "manifests/new.yaml"]);
      expect(found.get("manifests/a.yaml")).toEqual({
        index: { mode: "100644", id: await idOf("a: 1\n") },
        disk: { mode: "100644", id: await idOf("a: 2\n") },
      });
      expect(found.get("manifests/b.yaml")?.disk).toBeUndefined();
      expect(found.get("manifests/new.yaml")).toEqual({
        index: undefined,
        disk: { mode: "100644", id: await idOf("n: 1\n") },
      });
      await checkout.release();
    });

    it("given files placed and staged with the branch moved, when released, then the checkout is clean", async () => {
      const head = await repository.resolve(MAIN);
      const checkout = await locked();
      const changes = {
        "manifests/a.yaml": "a: 3\n",
        "manifests/deep/er/c.yaml": "c: 1\n",
        "manifests/b.yaml": undefined,
        "run.sh": "#!/bin/sh\necho\n",
      };
      const entries = new Map<string, { mode: string; id: string } | null>();
      for (const [file, text] of Object.entries(changes)) {
        const mode = file === "run.sh" ? "100755" : "100644";
        await checkout.placeFile(file, text === undefined ? null : { text, mode });
        entries.set(file, text === undefined ? null : { mode, id: await idOf(text) });
      }
      await checkout.stage(entries);
      const tree = await treeOf(
        repository,
        { "run.sh": ["100755", changes["run.sh"]] },
        { "a.yaml": changes["manifests/a.yaml"], "deep/er/c.yaml": "c: 1\n" },
      );
      const next = await repository.objects.writeCommit({
        tree,
        parents: [head ?? ""],
        message: "m",
        author: ada,
        committer: ada,
      });
      expect(await repository.updateRefs([{ ref: MAIN, to: next, from: head ?? null }], "test")).toBe(true);
      await checkout.release();
      expect(await repository.worktreeStatus(path)).toMatchObject({ head: next, changed: [], untracked: [] });
      expect(await site.read(`${path}/manifests/a.yaml`)).toBe("a: 3\n");
      expect(await site.read(`${path}/manifests/b.yaml`)).toBeUndefined();
      expect(await site.read(`${path}/manifests/deep/er/c.yaml`)).toBe("c: 1\n");
    });

    it("given a file removed that was alone in its directories, when placed, then they go with it", async () => {
      const checkout = await locked();
      await checkout.placeFile("x/y/z.yaml", { text: "z", mode: "100644" });
      await checkout.placeFile("x/y/z.yaml", null);
      await checkout.placeFile("x", { text: "a file now", mode: "100644" });
      await checkout.release();
      expect(await site.read(`${path}/x`)).toBe("a file now");
    });

    it("given a path that leaves the checkout or goes through a file, when placed, then it is refused", async () => {
      const checkout = await locked();
      await expect(checkout.placeFile("../out.yaml", { text: "x", mode: "100644" })).rejects.toMatchObject({
        reason: "PathLeavesCheckout",
      });
      await expect(checkout.placeFile("run.sh/x.yaml", { text: "x", mode: "100644" })).rejects.toMatchObject({
        reason: "PathLeavesCheckout",
      });
      expect((await checkout.inspect(["run.sh/x.yaml"])).get("run.sh/x.yaml")?.disk).toBe("Other");
      await checkout.release();
    });

    it("given a held checkout, when locked again, then the second waits for the release", async () => {
      const first = await locked();
      const order: string[] = [];
      const second = locked().then(async (checkout) => {
        order.push("second");
        await checkout.release();
      });
      order.push("first");
      await first.release();
      await second;
      expect(order).toEqual(["first", "second"]);
      await expect(first.inspect(["a"])).rejects.toMatchObject({ reason: "CheckoutReleased" });
    });

    it("given a branch that no checkout has, when locked, then it is told", async () => {
      expect(await repository.lockCheckout("refs/heads/other")).toEqual({ state: "NotCheckedOut" });
    });

    it("given a linked worktree with the branch, when locked, then it is that one", async () => {
      const head = await repository.resolve(MAIN);
      await repository.addWorktree({ path: `${site.root}/linked`, commit: head ?? "", branch: "side" });
      const lock = await repository.lockCheckout("refs/heads/side");
      expect(lock).toMatchObject({ state: "Locked", checkout: { path: `${site.root}/linked` } });
      if (lock.state === "Locked") await lock.checkout.release();
    });

    it("given a bare repository, when locked, then no checkout has the branch", async () => {
      const bare = await site.git.init(`${site.root}/bare.git`, { bare: true, branch: "main" });
      expect(await bare.lockCheckout(MAIN)).toEqual({ state: "NotCheckedOut" });
    });
  });
}

/** A tree of top-level files (with modes) and of files below `manifests/`. */
async function treeOf(
  repository: Repository,
  top: Readonly<Record<string, readonly [string, string]>>,
  manifests: Readonly<Record<string, string>>,
): Promise<string> {
  const { objects } = repository;
  const write = async (files: ReadonlyMap<string, readonly [mode: string, text: string]>): Promise<string> => {
    const entries = [];
    const folders = new Map<string, Map<string, readonly [string, string]>>();
    for (const [path, file] of files) {
      const slash = path.indexOf("/");
      if (slash === -1) entries.push({ mode: file[0] as "100644", name: path, id: await objects.writeBlob(file[1]) });
      else {
        const name = path.slice(0, slash);
        folders.set(name, (folders.get(name) ?? new Map()).set(path.slice(slash + 1), file));
      }
    }
    for (const [name, inside] of folders) entries.push({ mode: "040000" as const, name, id: await write(inside) });
    return objects.writeTree(entries);
  };
  const below = Object.entries(manifests).map(([path, text]) => [`manifests/${path}`, ["100644", text]] as const);
  return write(new Map<string, readonly [string, string]>([...Object.entries(top), ...below]));
}
