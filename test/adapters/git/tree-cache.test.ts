import { describe, expect, it } from "vitest";
import { TreeCaches } from "../../../src/adapters/git/tree-cache.ts";

const BODY = new Uint8Array(400);

describe("TreeCaches", () => {
  it("given the stores of ten rigs, when each reads trees all night, then all together stay within the limit, and what was used last is kept", () => {
    const caches = new TreeCaches(100_000);
    const rigs = Array.from({ length: 10 }, () => caches.ofRepository());
    for (let tree = 0; tree < 1_000; tree++) for (const rig of rigs) rig.keep(`tree-${tree}`, BODY);
    expect(caches.bytes).toBe(100_000);
    expect(rigs.map((rig) => rig.get("tree-999"))).toEqual(rigs.map(() => BODY));
    expect(rigs.map((rig) => rig.get("tree-980"))).toEqual(rigs.map(() => undefined));
  });

  it("given a tree that one repository has, when another is asked, then it is not known there", () => {
    const caches = new TreeCaches();
    const [one, two] = [caches.ofRepository(), caches.ofRepository()];
    one.keep("tree", BODY);
    expect([one.get("tree"), two.get("tree")]).toEqual([BODY, undefined]);
  });

  it("given a tree that is read again and again, when others come, then it stays", () => {
    const caches = new TreeCaches(10_000);
    const rig = caches.ofRepository();
    rig.keep("root", BODY);
    for (let tree = 0; tree < 100; tree++) {
      rig.keep(`tree-${tree}`, BODY);
      expect(rig.get("root")).toBe(BODY);
    }
  });
});
