import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { loadBundle } from "../../src/cli/load-bundle.ts";

interface Counting {
  count(): number;
}

const root = mkdtempSync(join(tmpdir(), "town-bundle-"));
const bundle = (name: string, hash: string, from: number): string => {
  const path = join(root, `${name}.cjs`);
  writeModule(path, `let n=${from};exports.count=()=>++n;`, hash);
  return path;
};
const writeModule = (path: string, code: string, hash: string): void =>
  writeFileSync(path, `(function(exports,require,module){${code}})\n//# town ${hash}\n`);
const [first, second] = ["0123456789abcdef", "fedcba9876543210"];
const run = (path: string, home: string): number => {
  const { exports, keepCode } = loadBundle<Counting>(path, { XDG_CACHE_HOME: home });
  const counted = exports.count();
  keepCode();
  return counted;
};
const kept = (home: string): readonly string[] => readdirSync(join(home, "town", "code"));

describe("a bundle with its code kept", () => {
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("given it ran before, when run again, then the code is used; and a new build has code of its own, alone", () => {
    const home = join(root, "home");
    const path = bundle("a", first, 0);
    expect(run(path, home)).toBe(1);
    const [name = ""] = kept(home);
    expect(name).toContain(first);
    const code = readFileSync(join(home, "town", "code", name));
    expect(run(path, home)).toBe(1);
    expect(readFileSync(join(home, "town", "code", name)).equals(code)).toBe(true);
    expect(run(bundle("a", second, 10), home)).toBe(11);
    expect(kept(home)).toEqual([expect.stringContaining(second)]);
  });

  test("given code that is damaged, when run, then it works and the code is made anew", () => {
    const home = join(root, "damaged");
    run(bundle("b", first, 0), home);
    const place = join(home, "town", "code", kept(home)[0] ?? "");
    writeFileSync(place, "nothing that V8 knows");
    // Another text, which this process has not compiled yet.
    expect(run(bundle("b", first, 5), home)).toBe(6);
    expect(readFileSync(place, "latin1")).not.toContain("nothing");
  });

  test("given a bundle that imports a module beside it, when run with and without code kept, then it is there", async () => {
    writeFileSync(join(root, "beside.mjs"), "export const word = 'hello';\n");
    const path = join(root, "e.cjs");
    writeModule(path, `exports.word=async()=>(await module.importBeside("./beside.mjs")).word`, first);
    for (let time = 0; time < 2; time += 1) {
      const { exports, keepCode } = loadBundle<{ word(): Promise<string> }>(path, {
        XDG_CACHE_HOME: join(root, "imports"),
      });
      expect(await exports.word()).toBe("hello");
      keepCode();
    }
  });

  test("given no place to keep code, or a bundle without a name for it, when run, then it works", () => {
    const blocked = join(root, "blocked");
    mkdirSync(blocked);
    writeFileSync(join(blocked, "town"), "a file is in the way");
    expect(run(bundle("c", first, 0), blocked)).toBe(1);
    const path = join(root, "d.cjs");
    writeFileSync(path, "(function(exports){exports.count=()=>7})\n");
    expect(loadBundle<Counting>(path, {}).exports.count()).toBe(7);
  });
});
