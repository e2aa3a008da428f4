import { describe, expect, test } from "vitest";
import { badManifests } from "./bad-manifests.ts";
import { pool, poolText, RIG, SyncTown } from "./sync-site.ts";
import { twinSite } from "./twin-site.ts";

describe("malformed manifests", () => {
  test("given 240 bad files among good ones in one commit, when synced, then each is refused with its place, the good are applied, and the last good versions stay", async () => {
    const bad = badManifests(240);
    expect(bad.length).toBeGreaterThan(200);
    const town = await SyncTown.make(await twinSite(), "town");
    const goods = Array.from({ length: 20 }, (_, at) => `good-${at}`);
    // Every tenth bad file was a good one before.
    const former = bad
      .filter((_, at) => at % 10 === 0)
      .map(({ path }, at) => [path, poolText(`former-${at}`, 3)] as const);
    await town.commit({
      "rig.yaml": RIG,
      ...Object.fromEntries(goods.map((name) => [`${name}.yaml`, poolText(name)])),
      ...Object.fromEntries(former),
    });
    expect(await town.settle()).toMatchObject({ status: "True" });
    await town.commit({
      ...Object.fromEntries(goods.map((name) => [`${name}.yaml`, poolText(name, 2)])),
      ...Object.fromEntries(bad.map(({ path, text }) => [path, text])),
    });
    const { problems, revision } = await town.sync();
    expect(revision).toBe(await town.repository.resolve("refs/heads/main"));
    for (const { path, because, line } of bad) {
      const own = problems.filter((problem) => problem.path === `manifests/${path}` && problem.severity === "Error");
      expect(own.length, `${path}: ${because}`).toBeGreaterThan(0);
      if (line > 0)
        expect(
          own.map((problem) => problem.line),
          `${path}: ${because}`,
        ).toContain(line);
      for (const { message } of own) expect(message.length, `${path}: ${because}`).toBeLessThan(600);
    }
    expect(problems.filter(({ path }) => path.startsWith("manifests/good"))).toEqual([]);
    expect(goods.map((name) => town.replicas(name))).toEqual(goods.map(() => 2));
    expect(former.map((_, at) => town.replicas(`former-${at}`))).toEqual(former.map(() => 3));
    expect(town.store.get(pool("bad-0"))).toBeUndefined();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(await town.settle()).toMatchObject({ status: "False", reason: "ManifestsInvalid" });
    expect((town.syncStatus["problems"] as readonly unknown[]).length).toBe(50);
    await town.commit(Object.fromEntries(bad.map(({ path }) => [path, null])));
    await town.settle();
    await town.annotate({ "runtime.town.dev/allow-prune": (await town.repository.resolve("refs/heads/main")) ?? "" });
    expect(await town.settle()).toMatchObject({ status: "True", reason: "Applied" });
    expect(town.replicas("former-0")).toBeUndefined();
  });
});
