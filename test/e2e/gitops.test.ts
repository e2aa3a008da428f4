import { existsSync, readFileSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { badManifests } from "../sync/bad-manifests.ts";
import { TownProcess } from "./town-process.ts";

const POOL = "sample/agentpools/crew.yaml";

describe("manifests in git, with the built program", () => {
  let town: TownProcess;

  beforeEach(() => {
    town = new TownProcess();
    town.initWithoutWork();
  });

  afterEach(() => town.end());

  const manifest = (path: string): string => join(town.directory, "manifests", path);
  const ready = (type: string, name: string, namespace?: string) =>
    town.object(type, namespace, name)?.status?.conditions?.find((each) => each.type === "Ready");
  const tip = (): string => town.git(town.directory, "rev-parse", "HEAD");
  const crew = (): number =>
    (
      town.json("get", "sessions", "-n", "sample") as
        | { items: { spec: { role: string }; status: { state: string } }[] }
        | undefined
    )?.items.filter(({ spec, status }) => spec.role === "crew" && status.state === "Running").length ?? -1;

  it("given a newcomer's town, when replicas go from 2 to 5, the file goes, and that is undone, then sessions follow each commit", async () => {
    expect(town.run("validate")).toMatchObject({ status: 0 });
    town.edit(POOL, "replicas: 1", "replicas: 2");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("two sessions", () => crew() === 2);
    town.edit(POOL, "replicas: 2", "replicas: 5");
    await town.until("five sessions", () => crew() === 5);
    expect(town.run("diff", "HEAD~1..HEAD")).toMatchObject({
      status: 1,
      stdout: expect.stringContaining("+  replicas: 5"),
    });
    rmSync(manifest(POOL));
    town.git(town.directory, "commit", "--quiet", "--all", "--message", "no crew");
    await town.until(
      "drained and gone",
      () => crew() === 0 && town.object("agentpool", "sample", "crew") === undefined,
    );
    expect(town.run("undo", "agentpool/crew", "-n", "sample")).toMatchObject({ status: 0 });
    expect(readFileSync(manifest(POOL), "utf8")).toContain("replicas: 5");
    await town.until("five again", () => crew() === 5);
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
    const exported = town.run("export", "pool/crew", "-n", "sample").stdout;
    expect(exported).toBe(
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: crew\n  namespace: sample\nspec:\n  role: crew\n  provider: shell\n  replicas: 5\n",
    );
  });

  it("given a commit that removes a rig, when a person allows that revision, then it is pruned and the loop comes to rest", async () => {
    // What comes by itself, once a minute, would be no unrest.
    town.edit("towns/hq.yaml", "spec:\n", "spec:\n  sync:\n    interval: 1h\n");
    town.run("up", "-d");
    await town.until("the rig is ready", () => ready("rig", "sample")?.status === "True");
    rmSync(manifest("rigs/sample.yaml"));
    rmSync(manifest("sample"), { recursive: true });
    town.git(town.directory, "commit", "--quiet", "--all", "--message", "no rig");
    await town.until("the prune is held", () => ready("town", "hq")?.reason === "PruneHeld");
    const status = town.run("status").stdout;
    expect(status.replace(/\s+/g, " ")).toContain(`town reconcile --allow-prune=${tip().slice(0, 12)}`);
    expect(town.run("reconcile", "--allow-prune=main")).toMatchObject({ status: 2 });
    expect(town.run("reconcile", `--allow-prune=${tip().slice(0, 12)}`)).toMatchObject({ status: 0 });
    await town.until(
      "all is gone",
      () => ready("town", "hq")?.reason === "Applied" && town.object("rig", undefined, "sample") === undefined,
    );
    const syncs = (): unknown => {
      const sync = town.object("town", undefined, "hq")?.status?.["sync"];
      return (sync as { readonly attemptedTime?: string } | undefined)?.attemptedTime;
    };
    const before = syncs();
    await new Promise((done) => setTimeout(done, 2_500));
    expect(syncs()).toBe(before);
  });

  it("given a commit of an agent by git, when a person approves it, then it takes effect, not before", async () => {
    town.run("up", "-d");
    await town.until("synced", () => ready("town", "hq")?.reason === "Applied");
    writeFileSync(manifest(POOL), readFileSync(manifest(POOL), "utf8").replace("replicas: 1", "replicas: 0"));
    town.git(
      town.directory,
      "commit",
      "--quiet",
      "--all",
      "--author",
      "sample/crew/toast <pat@example.org>",
      "--message",
      "off",
    );
    await town.until("it is held", () => ready("town", "hq")?.reason === "UnauthorizedCommit");
    expect(town.object("agentpool", "sample", "crew")?.spec["replicas"]).toBe(1);
    expect(town.run("reconcile", `--approve=${tip()}`)).toMatchObject({ status: 0 });
    await town.until("it is in force", () => town.object("agentpool", "sample", "crew")?.spec["replicas"] === 0);
  });

  it("given a remote as the truth and a further Source, when written and shared, then writes are pushed and what is shared is read-only", async () => {
    const bare = (name: string): string => {
      town.git(town.home, "init", "--quiet", "--bare", "--initial-branch=main", name);
      return join(town.home, name);
    };
    const origin = bare("origin.git");
    const shared = bare("apart.git");
    town.git(town.home, "clone", "--quiet", shared, "theirs");
    const share = (replicas: number): void => {
      const file = join(town.home, "theirs", "manifests", "pool.yaml");
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(
        file,
        `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata: { name: theirs, namespace: sample }\nspec: { role: crew, provider: shell, replicas: ${replicas} }\n`,
      );
      town.git(join(town.home, "theirs"), "add", "--all");
      town.git(join(town.home, "theirs"), "commit", "--quiet", "--message", "share");
      town.git(join(town.home, "theirs"), "push", "--quiet", "origin", "HEAD:main");
    };
    share(0);
    town.git(town.directory, "remote", "add", "origin", origin);
    town.edit("towns/hq.yaml", "spec:\n", "spec:\n  sync:\n    remote:\n      url: origin\n");
    town.declare("Source", "shared", "{ url: ../apart.git }");
    town.git(town.directory, "push", "--quiet", "origin", "main");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until(
      "both are in force",
      () => ready("town", "hq")?.reason === "Applied" && ready("source", "shared")?.reason === "Applied",
    );
    expect(town.run("scale", "pool/crew", "-n", "sample", "--replicas", "0")).toMatchObject({ status: 0 });
    expect(town.git(origin, "show", `main:manifests/${POOL}`)).toContain("replicas: 0");
    expect(town.git(origin, "rev-parse", "main")).toBe(tip());
    const refused = town.run("scale", "pool/theirs", "-n", "sample", "--replicas", "2");
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toContain(`${shared}), manifests/pool.yaml:1`);
    share(1);
    expect(town.run("reconcile", "source/shared")).toMatchObject({ status: 0 });
    await town.until("it follows", () => town.object("agentpool", "sample", "theirs")?.spec["replicas"] === 1);
    expect(town.run("get", "pools", "-n", "sample", "-o", "wide").stdout).toContain("shared:manifests/pool.yaml");
    rmSync(origin, { recursive: true });
    town.run("reconcile");
    await town.until("it is unknown", () => ready("town", "hq")?.reason === "RemoteUnreachable");
    expect(town.run("scale", "pool/crew", "-n", "sample", "--replicas", "1").status).not.toBe(0);
  });

  it("given a town, a rig, a pool, a convoy and a plugin, when suspended and resumed, then each is a commit, says so, and nothing new starts meanwhile", async () => {
    town.declare("Plugin", "sample/tidy", "{ gate: { manual: true }, run: { prompt: Tidy up. } }");
    town.declare(
      "Convoy",
      "hq/later",
      "{ owner: pat@example.org, suspend: true, items: [{ name: one, rig: sample, title: One, description: later }] }",
    );
    town.run("up", "-d");
    await town.until("the crew runs", () => crew() === 1);
    const suspended = (type: string, name: string, namespace?: string): unknown =>
      town.object(type, namespace, name)?.spec["suspend"];
    for (const [type, name, namespace] of [
      ["pool", "crew", "sample"],
      ["rig", "sample", undefined],
      ["town", "hq", undefined],
      ["convoy", "later", "hq"],
      ["plugin", "tidy", "sample"],
    ] as const) {
      const where = namespace === undefined ? [] : ["-n", namespace];
      const first = tip();
      const [act, undo] = type === "convoy" ? (["resume", "suspend"] as const) : (["suspend", "resume"] as const);
      expect(town.run(act, `${type}/${name}`, ...where), type).toMatchObject({ status: 0 });
      expect([suspended(type, name, namespace), tip() === first], type).toEqual([act === "suspend", false]);
      if (act === "suspend" && type !== "plugin")
        await town.until(`${type} says so`, () => ready(type, name, namespace)?.reason === "Suspended");
      if (type === "pool" || type === "rig" || type === "town") {
        town.edit(POOL, "replicas: 1", "replicas: 2");
        await town.until(
          "the change is applied",
          () => town.object("agentpool", "sample", "crew")?.spec["replicas"] === 2,
        );
        expect(crew(), type).toBe(1);
        town.edit(POOL, "replicas: 2", "replicas: 1");
      }
      expect(town.run(undo, `${type}/${name}`, ...where), type).toMatchObject({ status: 0 });
      expect(town.run(undo, `${type}/${name}`, ...where).stdout, type).toContain("(no change)");
    }
    expect(crew()).toBe(1);
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
    expect(readFileSync(manifest(POOL), "utf8")).not.toContain("suspend:");
  });

  it("given 240 bad files in one commit, when synced, then the program lives and a good change beside them is applied", async () => {
    town.run("up", "-d");
    await town.until("synced", () => ready("town", "hq")?.reason === "Applied");
    const pid = town.daemonPid;
    for (const { path, text } of badManifests(240)) {
      mkdirSync(dirname(manifest(path)), { recursive: true });
      writeFileSync(manifest(path), text);
    }
    town.edit(POOL, "replicas: 1", "replicas: 0");
    await town.until(
      "the good change is applied",
      () => town.object("agentpool", "sample", "crew")?.spec["replicas"] === 0,
    );
    const told = await town.until("the bad ones are told", () => {
      const condition = ready("town", "hq");
      return condition?.reason === "ManifestsInvalid" && condition;
    });
    expect(told.message).toMatch(/\(and \d{3} more\)/);
    expect(town.run("validate")).toMatchObject({ status: 1 });
    expect(town.daemonPid).toBe(pid);
    expect(existsSync(`/proc/${pid}`) || process.platform !== "linux").toBe(true);
  });
});
