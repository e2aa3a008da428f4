import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { kubectlPrograms } from "./kubectl-programs.ts";

describe("which kubectls are tested", () => {
  let directory: string;
  const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const program = (name: string, script: string): string => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const works = (minor: number): string => `echo '{"clientVersion":{ "gitVersion": "v1.${minor}.4-x" }}'`;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "town-kubectls-"));
    warned.mockClear();
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("given none, when looked for, then there are none and it is said", () => {
    expect(kubectlPrograms({ PATH: directory })).toEqual([]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("SKIPPED: kubectl is not on PATH"));
  });

  it("given one that does not work, when looked for, then it is said, and in CI it is an error", () => {
    program("kubectl", "exit 1");
    expect(kubectlPrograms({ PATH: directory })).toEqual([]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("does not work"));
    expect(() => kubectlPrograms({ PATH: directory, CI: "true" })).toThrow("is on PATH and does not work");
  });

  it("given another version beside it, when looked for, then both are tested; alone, that is said", () => {
    program("kubectl", works(32));
    expect(kubectlPrograms({ PATH: directory }).map(({ minor }) => minor)).toEqual([32]);
    expect(warned).toHaveBeenCalledWith(expect.stringContaining("1.32 is the only one here"));
    program("kubectl.1.28", works(28));
    expect(kubectlPrograms({ PATH: directory }).map(({ minor }) => minor)).toEqual([32, 28]);
  });

  it("given a list, when looked for, then those are tested, and one that does not work is an error", () => {
    const [one, two, broken] = [program("a", works(20)), program("b", works(35)), program("c", "exit 1")];
    const listed = (...paths: readonly string[]) => kubectlPrograms({ TOWN_KUBECTLS: paths.join(delimiter) });
    expect(listed(one, two).map(({ minor }) => minor)).toEqual([20, 35]);
    expect(() => listed(one, broken)).toThrow(`TOWN_KUBECTLS lists ${broken}`);
  });
});
