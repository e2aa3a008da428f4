import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KnownGit } from "../../../src/adapters/git/known-git.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "town-known-git-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A program called git, of some size. */
function program(name: string, bytes: number): string {
  mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, name, "git"), "x".repeat(bytes));
  chmodSync(join(root, name, "git"), 0o755);
  return join(root, name);
}

const known = (path: string): KnownGit => new KnownGit(join(root, "cache"), { PATH: path });

describe("a git that was asked", () => {
  test("given one that was kept, when looked for, then it is known until another is in its place or in front of it", () => {
    const bin = program("bin", 100_000);
    expect(known(bin).isKnown()).toBe(false);
    known(bin).keep();
    expect(known(bin).isKnown()).toBe(true);
    expect(known(`${join(root, "none")}:${bin}`).isKnown()).toBe(true);
    expect(known(`${program("front", 100_000)}:${bin}`).isKnown()).toBe(false);
    chmodSync(join(program("plain", 100_000), "git"), 0o644);
    expect(known(`${join(root, "plain")}:${bin}`).isKnown()).toBe(true);
    program("bin", 100_001);
    expect(known(bin).isKnown()).toBe(false);
  });

  test("given a script, a relative PATH or none, when kept, then it is never known: it may be another git the next time", () => {
    for (const path of [program("script", 200), "bin:/usr/bin", ""]) {
      known(path).keep();
      expect(known(path).isKnown()).toBe(false);
    }
  });

  test("given a cache that is damaged or cannot be written, when used, then git is just not known", () => {
    const bin = program("bin", 100_000);
    known(bin).keep();
    const file = join(root, "cache", "git");
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 20));
    expect(known(bin).isKnown()).toBe(false);
    const blocked = new KnownGit(join(bin, "git"), { PATH: bin });
    blocked.keep();
    expect(blocked.isKnown()).toBe(false);
  });
});
