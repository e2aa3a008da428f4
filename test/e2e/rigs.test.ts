import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TownProcess } from "./town-process.ts";

describe("rigs in a running town", () => {
  let town: TownProcess;
  let project: string;

  beforeEach(() => {
    town = new TownProcess();
    project = town.makeProject({ "package.json": '{ "scripts": { "test": "node --test", "lint": "eslint ." } }\n' });
    town.git(project, "checkout", "--quiet", "-b", "topic");
    town.initWithoutWork();
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
  });

  afterEach(() => town.end());

  it("given a repository, when it is added and removed again, then there is a commit for each and the repository is as before", () => {
    const before = [readFileSync(join(project, ".git/config"), "utf8"), town.git(project, "for-each-ref")];
    const dry = town.run("rig", "add", "web", project, "--dry-run");
    expect(dry).toMatchObject({ status: 0 });
    expect(town.run("get", "rig/web").status).toBe(4);

    const added = town.run("rig", "add", "web", project);
    expect(added).toMatchObject({ status: 0, stderr: "" });
    expect(added.stdout).toContain("main at ");
    const manifest = readFileSync(join(town.directory, "manifests/rigs/web.yaml"), "utf8");
    expect(dry.stdout).toContain(manifest.trim());
    expect(manifest).toContain("branch: main");
    expect(manifest).toContain('#       command: "npm test"');
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
    expect(town.git(project, "config", "town.store")).toContain("/rigs/web.git");
    expect(town.run("rig", "add", "web", project).status).not.toBe(0);

    const removed = town.run("rig", "remove", "web");
    expect(removed).toMatchObject({ status: 0, stderr: "" });
    expect([readFileSync(join(project, ".git/config"), "utf8"), town.git(project, "for-each-ref")]).toEqual(before);
    expect(town.run("get", "rig/web").status).toBe(4);
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
  });

  it("given what cannot be a rig, when it is added, then it is refused with the fix and nothing is committed", () => {
    const head = town.git(town.directory, "rev-parse", "HEAD");
    const nowhere = town.run("rig", "add", "web", join(town.home, "nowhere"));
    expect(nowhere.status).not.toBe(0);
    expect(nowhere.stderr).toContain("there is nothing at");
    const own = town.run("rig", "add", "web", town.directory);
    expect(own.stderr).toContain("the town's own repository");
    const prefix = town.run("rig", "add", "web", project, "--prefix", "sample");
    expect(prefix.stderr).toContain("are called sample-");
    const branch = town.run("rig", "add", "web", project, "--branch", "nope");
    expect(branch.stderr).toContain("no branch 'nope'");
    expect(town.run("rig", "add", "hq", project).status).not.toBe(0);
    expect(town.git(town.directory, "rev-parse", "HEAD")).toBe(head);
  });

  it("given work on a hook, when its rig is removed, then it is refused and named, and with --force its commits are kept", async () => {
    town.edit(
      "sample/agentpools/polecats.yaml",
      "  replicas: 2\n",
      "  replicas: 1\n  env:\n    - name: TOWN_SHELL_AGENT_MISBEHAVE\n      value: hang:verify!\n",
    );
    town.declareWork([{ name: "one", rig: "sample", script: "echo one > one.txt" }]);
    const bead = await town.until("an agent works", () => {
      const beads = town.json("get", "beads", "-n", "sample") as
        | { items: { metadata: { name: string }; status: { assignee?: string } }[] }
        | undefined;
      return beads?.items.find((one) => one.status.assignee !== undefined)?.metadata.name;
    });
    const refused = town.run("rig", "remove", "sample");
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain(bead);
    expect(town.run("get", "rig/sample").status).toBe(0);
    const forced = town.run("rig", "remove", "sample", "--force");
    expect(forced).toMatchObject({ status: 0, stderr: "" });
    expect(forced.stdout).toContain("kept");
    expect(town.run("get", "rig/sample").status).toBe(4);
  });
});
