import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TownProcess } from "./town-process.ts";

/** Only what a town needs: none of the agent programs that may be installed here. */
function barePath(bin: string): string {
  mkdirSync(bin, { recursive: true });
  for (const program of ["git", "tmux", "sh", "env"]) {
    const { stdout } = spawnSync("which", [program], { encoding: "utf8" });
    if (stdout.trim() !== "") spawnSync("ln", ["-sf", stdout.trim(), join(bin, program)]);
  }
  return bin;
}

describe("town init", () => {
  let town: TownProcess;
  let bin: string;

  beforeEach(() => {
    town = new TownProcess();
    bin = barePath(join(town.home, "bin"));
    town.env["PATH"] = `${bin}:/usr/bin:/bin`;
  });

  afterEach(() => town.end());

  function install(program: string): void {
    writeFileSync(join(bin, program), "#!/bin/sh\n", { mode: 0o755 });
  }

  function project(
    files: Readonly<Record<string, string>> = { "package.json": '{"scripts":{"test":"node --test"}}' },
  ): string {
    const path = join(town.home, "src", "api");
    mkdirSync(path, { recursive: true });
    spawnSync("git", ["init", "--quiet", "--initial-branch=main", path], { env: town.env });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    town.git(path, "add", "--all");
    town.git(path, "commit", "--quiet", "--allow-empty", "--message", "begin");
    return path;
  }

  it("given an empty folder, when a town is made there, then it is valid, committed and says what to do next in 80 columns", () => {
    mkdirSync(town.directory);
    install("claude");
    const made = town.initIn(town.directory);
    expect(made).toMatchObject({ status: 0, stderr: "" });
    expect(made.stdout).toContain("a sample project in ./sample");
    expect(made.stdout).toContain("shell (the sample needs no model; for your own: claude)");
    expect(made.stdout.split("\n").filter((line) => line.length > 80 && !line.includes(town.home))).toEqual([]);
    expect(town.run("validate")).toMatchObject({ status: 0 });
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
    expect(town.git(town.directory, "log", "--format=%an")).toBe("Pat");
  });

  it("given a project, when init is run in a folder of it, then the town is beside it and the project is as before", () => {
    const path = project();
    mkdirSync(join(path, "lib"));
    const before = spawnSync("find", [path, "-newer", join(path, "package.json")], { encoding: "utf8" }).stdout;
    install("codex");
    const made = town.initIn(join(path, "lib"));
    expect(made).toMatchObject({ status: 0, stderr: "" });
    const directory = join(town.home, "src", "api-town");
    expect(made.stdout).toContain(`Made a town in ${directory}`);
    expect(made.stdout).toContain("npm test");
    expect(made.stdout).toContain(`codex (found ${join(bin, "codex")})`);
    expect(spawnSync("find", [path, "-newer", join(path, "package.json")], { encoding: "utf8" }).stdout).toBe(before);
    const read = (file: string): string => readFileSync(join(directory, "manifests", file), "utf8");
    expect(read("rigs/api.yaml")).toContain(`path: ${path}`);
    expect(read("api/agentpools/crew.yaml")).toMatch(/provider: codex\n {2}replicas: 1/);
    expect(read("api/agentpools/polecats.yaml")).toMatch(/provider: codex\n {2}replicas: 2/);
    expect(read("hq/convoys/first.yaml")).toContain("suspend: true");
    expect(read("towns/hq.yaml")).toContain("daily:");
    const flags = read("providers/codex.yaml")
      .split("\n")
      .filter((line) => /bypass|skip-permissions|yolo/.test(line));
    for (const line of flags) expect(line.trim()).toMatch(/^#/);
    expect(
      spawnSync(process.execPath, [join(import.meta.dirname, "../../dist/bin/town.cjs"), "-C", directory, "validate"], {
        env: town.env,
      }).status,
    ).toBe(0);
  });

  it("given no agent program and nothing that tells how to test, when init is run, then it says so and no gate always passes", () => {
    const path = project({ "README.md": "x\n" });
    const made = town.initIn(path);
    expect(made.stdout).toContain("shell (no agent program found");
    expect(made.stdout).toContain("none yet");
    const rig = readFileSync(join(town.home, "src/api-town/manifests/rigs/api.yaml"), "utf8");
    expect(rig).toContain("#   gates:");
    expect(rig).not.toMatch(/^\s*gates:/m);
    const validated = town.run("validate", join(town.home, "src/api-town"));
    expect(validated.stdout + validated.stderr).toContain("valid");
    expect(validated.status).toBe(0);
  });

  it("given a town, when init is run again in or on it, then nothing changes and the next steps are shown", () => {
    const path = project();
    town.initIn(path);
    const directory = join(town.home, "src", "api-town");
    const head = town.git(directory, "rev-parse", "HEAD");
    for (const again of [town.initIn(path), town.initIn(directory), town.initIn(town.home, directory)]) {
      expect(again).toMatchObject({ status: 0, stderr: "" });
      expect(again.stdout).toContain("is a town already; nothing was changed");
      expect(again.stdout).toContain("town up -d");
    }
    expect(town.git(directory, "rev-parse", "HEAD")).toBe(head);
    expect(town.git(directory, "status", "--porcelain")).toBe("");
  });

  it("given an init that was killed before its commit, when it is run again, then it is finished", () => {
    const path = project();
    town.initIn(path);
    const directory = join(town.home, "src", "api-town");
    rmSync(join(directory, ".git/refs/heads/main"));
    rmSync(join(directory, "manifests/towns"), { recursive: true });
    const again = town.initIn(path);
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(again.stdout).toContain("Made a town");
    expect(existsSync(join(directory, "manifests/towns/hq.yaml"))).toBe(true);
    expect(town.git(directory, "status", "--porcelain")).toBe("");
  });

  it.each([
    { because: "a folder with other things", args: (home: string) => [join(home, "bin")], says: "is not empty" },
    {
      because: "a rig that is not there",
      args: (home: string) => [join(home, "t"), "--rig", join(home, "no")],
      says: "no git repository",
    },
    {
      because: "an unknown provider",
      args: (home: string) => [join(home, "t"), "--provider", "hal"],
      says: "there are: ",
    },
  ])("given $because, when init is run, then it is refused with what to do and nothing is made", ({ args, says }) => {
    const refused = town.initIn(town.home, ...args(town.home));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(says);
    expect(existsSync(join(town.home, "t"))).toBe(false);
  });
});
