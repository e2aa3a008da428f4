import { describe, expect, test } from "vitest";
import { recoverCommit } from "../../src/manifests/recover-commit.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import { DyingProcess, Killed } from "./crash.ts";
import { poolText, rigText } from "./sample-kinds.ts";
import { MAIN, creation, deletion, edit, pool, writerSite } from "./writer-site.ts";

async function site() {
  const clock = virtualClock();
  const disk = new MemoryDisk({ clock }).mount();
  await disk.makeDirectory("/town");
  const git = new MemoryGit({ clock, files: disk });
  const made = await writerSite({ git, files: disk, clock, root: "/town" });
  await made.commit({
    "manifests/a.yaml": poolText("a"),
    "manifests/b.yaml": poolText("b"),
    "manifests/deep/c.yaml": poolText("c"),
  });
  return { ...made, git, status: () => made.repository.worktreeStatus("/town") };
}

/** Changes a file, adds one in a new directory, removes one with its directory: in one commit. */
async function changes(town: Awaited<ReturnType<typeof site>>) {
  return [await edit(town, pool("a"), { replicas: 5 }), creation(rigText("web")), await deletion(town, pool("c"))];
}

async function killedAt(town: Awaited<ReturnType<typeof site>>, at: number, after: boolean) {
  const dying = new DyingProcess(at, after);
  const writer = town.writer({ repository: dying.repository(town.repository), files: dying.files(town.files) });
  const settled = await Promise.allSettled((await changes(town)).map((change) => writer.write(change)));
  return {
    dying,
    acknowledged: settled.every((one) => one.status === "fulfilled"),
    errors: settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : [])),
  };
}

async function stepsOfWholeCommit(): Promise<readonly string[]> {
  const { dying, acknowledged } = await killedAt(await site(), 1_000, false);
  expect(acknowledged).toBe(true);
  return dying.steps;
}

describe("a killed commit", () => {
  test("given a whole commit, when watched, then its steps are those of the design in that order", async () => {
    expect(await stepsOfWholeCommit()).toEqual([
      "lockCheckout",
      "writeBlob",
      "writeBlob",
      "writeTree",
      "writeTree",
      "writeTree",
      "writeCommit",
      "makeDirectory",
      "writeAtomic",
      "sync",
      "updateRefs",
      "placeFile",
      "placeFile",
      "placeFile",
      "stage",
      "remove",
      "release",
    ]);
  });

  test("given a kill before or after any step, when recovered, then git status is clean and an acknowledged write is there", async () => {
    const steps = await stepsOfWholeCommit();
    for (let at = 1; at <= steps.length; at += 1) {
      for (const after of [false, true]) {
        const town = await site();
        const before = await town.repository.resolve(MAIN);
        const { acknowledged, errors } = await killedAt(town, at, after);
        const where = `${after ? "after" : "before"} step ${at}, ${steps[at - 1]}`;
        expect(acknowledged || errors.every((error) => error instanceof Killed), where).toBe(true);
        town.git.crash();
        const outcome = await recoverCommit(town.repository, town.files, MAIN);
        expect(await recoverCommit(town.repository, town.files, MAIN), where).toBe("Nothing");
        expect(await town.status(), `${where}: ${outcome}`).toMatchObject({ changed: [], untracked: [] });
        const tip = await town.repository.resolve(MAIN);
        if (acknowledged) expect(tip, where).not.toBe(before);
        const texts = [
          await town.read("manifests/a.yaml"),
          await town.read("manifests/rigs/web.yaml"),
          await town.read("manifests/deep/c.yaml"),
        ];
        expect(texts, where).toEqual(
          tip === before ? [poolText("a"), undefined, poolText("c")] : [poolText("a", 5), rigText("web"), undefined],
        );
        await town.writer().write(await edit(town, pool("b"), { replicas: 9 }));
        expect(await town.status(), where).toMatchObject({ changed: [], untracked: [] });
      }
    }
  });

  test("given a kill during the recovery itself, when recovered again, then it ends the same", async () => {
    const steps = await stepsOfWholeCommit();
    const moved = steps.indexOf("updateRefs") + 1;
    for (let at = 1; at <= 8; at += 1) {
      for (const after of [false, true]) {
        const town = await site();
        await killedAt(town, moved, true);
        town.git.crash();
        const dying = new DyingProcess(at, after);
        await recoverCommit(dying.repository(town.repository), dying.files(town.files), MAIN).catch(() => undefined);
        town.git.crash();
        await recoverCommit(town.repository, town.files, MAIN);
        expect(await town.status(), `${after} ${at}`).toMatchObject({ changed: [], untracked: [] });
        expect(await town.read("manifests/a.yaml")).toBe(poolText("a", 5));
      }
    }
  });

  test("given a person's edit between kill and recovery, when recovered, then the edit stays", async () => {
    const steps = await stepsOfWholeCommit();
    const town = await site();
    await killedAt(town, steps.indexOf("updateRefs") + 1, true);
    town.git.crash();
    await town.save("manifests/a.yaml", "mine\n");
    await town.save("manifests/rigs/web.yaml", "mine too\n");
    expect(await recoverCommit(town.repository, town.files, MAIN)).toBe("Finished");
    expect(await town.read("manifests/a.yaml")).toBe("mine\n");
    expect(await town.read("manifests/rigs/web.yaml")).toBe("mine too\n");
    expect(await town.status()).toMatchObject({
      changed: ["manifests/a.yaml", "manifests/rigs/web.yaml"],
      untracked: [],
    });
  });

  test("given a later commit on top, when recovered, then only files that it left alone are put in place", async () => {
    const steps = await stepsOfWholeCommit();
    const town = await site();
    await killedAt(town, steps.indexOf("updateRefs") + 1, true);
    town.git.crash();
    const { objects } = town.repository;
    const tip = (await town.repository.resolve(MAIN)) ?? "";
    const info = await objects.readCommit(tip);
    const root = await objects.readTree(info?.tree ?? "");
    const manifests = root.find((entry) => entry.name === "manifests");
    const inside = (await objects.readTree(manifests?.id ?? "")).filter((entry) => entry.name !== "a.yaml");
    const tree = await objects.writeTree([{ mode: "040000", name: "manifests", id: await objects.writeTree(inside) }]);
    const who = { name: "U", email: "u@x" };
    const next = await objects.writeCommit({ tree, parents: [tip], message: "on top", author: who, committer: who });
    await town.repository.updateRefs([{ ref: MAIN, to: next }], "test");
    expect(await recoverCommit(town.repository, town.files, MAIN)).toBe("Finished");
    expect(await town.read("manifests/a.yaml")).toBe(poolText("a"));
    expect(await town.read("manifests/rigs/web.yaml")).toBe(rigText("web"));
  });

  test("given a git that holds the index, when recovered, then the intent waits", async () => {
    const steps = await stepsOfWholeCommit();
    const town = await site();
    await killedAt(town, steps.indexOf("updateRefs") + 1, true);
    town.git.crash();
    town.git.occupy("/town", { index: true });
    expect(await recoverCommit(town.repository, town.files, MAIN)).toBe("Busy");
    town.git.occupy("/town", { index: false });
    expect(await recoverCommit(town.repository, town.files, MAIN)).toBe("Finished");
    expect(await town.status()).toMatchObject({ changed: [], untracked: [] });
  });

  test("given a disk that fails while files are put in place, when the next write comes, then both are there", async () => {
    const town = await site();
    let failures = 1;
    const failing = new Proxy(town.repository, {
      get(target, name) {
        if (name === "lockCheckout") {
          return async (branch: string) => {
            const lock = await target.lockCheckout(branch);
            if (lock.state !== "Locked") return lock;
            const checkout = new Proxy(lock.checkout, {
              get(inner, method) {
                const value: unknown = Reflect.get(inner, method);
                if (method === "placeFile" && failures > 0)
                  return async () => ((failures -= 1), Promise.reject(new Error("EIO")));
                return typeof value === "function" ? (value.bind(inner) as unknown) : value;
              },
            });
            return { ...lock, checkout };
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const writer = town.writer({ repository: failing });
    await writer.write(await edit(town, pool("a"), { replicas: 5 }));
    expect(await town.read("manifests/a.yaml")).toBe(poolText("a"));
    await writer.write(await edit(town, pool("b"), { replicas: 6 }));
    expect([await town.read("manifests/a.yaml"), await town.read("manifests/b.yaml")]).toEqual([
      poolText("a", 5),
      poolText("b", 6),
    ]);
    expect(await town.status()).toMatchObject({ changed: [], untracked: [] });
  });

  test("given an intent of a later version or none at all, when recovered, then it is refused and stays", async () => {
    const town = await site();
    const path = `${town.repository.commonDirectory}/town/commit-intent.json`;
    await town.files.makeDirectory(`${town.repository.commonDirectory}/town`);
    for (const [text, reason] of [
      ['{"formatVersion":2}', "IntentTooNew"],
      ["torn", "IntentDamaged"],
    ] as const) {
      await town.files.writeAtomic(path, text);
      await expect(recoverCommit(town.repository, town.files, MAIN)).rejects.toMatchObject({ reason });
      expect(await town.files.readText(path)).toBe(text);
    }
  });

  test("given an intent of version 1, when recovered, then it is understood", async () => {
    const town = await site();
    const tip = (await town.repository.resolve(MAIN)) ?? "";
    const text = `{"formatVersion":1,"branch":"refs/heads/main","from":"${tip}","to":"${"1".repeat(40)}","checkout":"/town","files":[{"path":"manifests/a.yaml","from":{"mode":"100644","id":"x"},"to":null}]}`;
    await town.files.makeDirectory(`${town.repository.commonDirectory}/town`);
    await town.files.writeAtomic(`${town.repository.commonDirectory}/town/commit-intent.json`, text);
    expect(await recoverCommit(town.repository, town.files, MAIN)).toBe("Dropped");
  });
});
