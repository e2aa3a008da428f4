import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePath } from "../../src/adapters/make-path.ts";

describe("makePath", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "town-make-path-"));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it("given parts that are missing, when made, then all are there and the first is told", async () => {
    expect(await makePath(join(root, "a/b/c"))).toBe(join(root, "a"));
    expect(await makePath(join(root, "a/b/d"))).toBe(join(root, "a/b/d"));
    expect(await makePath(join(root, "a/b/c"))).toBeUndefined();
    expect(existsSync(join(root, "a/b/c"))).toBe(true);
  });

  it("given many who make the same at once, when made, then nobody fails", async () => {
    const paths = Array.from({ length: 50 }, (_, index) => join(root, `x/y/${index % 5}/z`));
    await Promise.all(paths.map((path) => makePath(path)));
    expect(paths.every((path) => existsSync(path))).toBe(true);
  });

  it.each([
    ["a file in the way", "EEXIST", (at: string) => writeFileSync(at, "")],
    ["a link to nothing in the way", "EEXIST", (at: string) => symlinkSync("nowhere", at)],
  ] as const)("given %s, when made, then it says %s", async (_, code, put) => {
    put(join(root, "a"));
    await expect(makePath(join(root, "a"))).rejects.toMatchObject({ code });
    mkdirSync(join(root, "b"));
    put(join(root, "b/c"));
    await expect(makePath(join(root, "b/c/d"))).rejects.toMatchObject({ code: expect.stringMatching(/^E/) });
  });

  it.skipIf(!existsSync("/proc/self"))(
    "given a directory that takes nothing and calls that missing, when made, then it ends",
    async () => {
      await expect(makePath("/proc/nothing-here/x")).rejects.toMatchObject({ code: "ENOENT" });
    },
  );
});
