import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TownProcess } from "./town-process.ts";

describe("a town from one commit to merged work", () => {
  let town: TownProcess;
  let project: string;

  beforeEach(() => {
    town = new TownProcess();
    project = town.initWithRig({
      files: { "check.sh": "! grep -rl BROKEN --include='*.txt' .\n" },
      gate: "sh check.sh",
    });
  });

  afterEach(() => town.end());

  const closed = (): boolean => town.isWorkClosed();

  it("given a convoy in a commit, when the town is up, then the work is on the user's branch with its authors, and what broke the gate was sent back", async () => {
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    const mended = 'cp "$TOWN_FEEDBACK_FILE" feedback.md; echo two > two.txt';
    town.declareWork([
      { name: "one", script: "echo one > one.txt" },
      { name: "two", script: `if [ "$TOWN_ATTEMPT" = 1 ]; then echo BROKEN > two.txt; else ${mended}; fi` },
      { name: "three", script: "cat one.txt > three.txt", dependsOn: ["one"] },
    ]);
    await town.until("the convoy closes", closed);
    expect(readFileSync(join(project, "three.txt"), "utf8")).toBe("one\n");
    expect(readFileSync(join(project, "feedback.md"), "utf8")).toContain("two.txt");
    expect(town.git(project, "status", "--porcelain")).toBe("");
    const authors = town
      .git(
        project,
        "log",
        "--no-merges",
        "--format=%an <%ae>|%(trailers:key=Town-Bead,valueonly,separator=)",
        "--",
        "one.txt",
      )
      .split("\n");
    expect(authors[0]).toMatch(/^api\/polecats\/[a-z]+ <pat@example\.org>\|api-/);
    const beads = town.json("get", "beads", "-n", "api") as {
      items: { spec: { owner: string }; status: { state: string; closeReason: string } }[];
    };
    expect(beads.items.map((bead) => bead.status.state)).toEqual(["closed", "closed", "closed"]);
    expect(new Set(beads.items.map((bead) => bead.spec.owner))).toEqual(new Set(["pat@example.org"]));
    const clone = join(town.directory, ".git", "town", "rigs", "api.git");
    await town.until("the branches of landed work are gone", () => {
      const branches = town.git(clone, "for-each-ref", "--format=%(refname)", "refs/heads/town/agents");
      return !branches.includes("/api-");
    });
    expect(Number(town.git(clone, "rev-list", "--count", "town/work"))).toBeGreaterThan(0);
  });

  it("given a session killed after its first step, when it is replaced, then the second session begins at the second step", async () => {
    town.run("up", "-d");
    town.edit(
      "api/agentpools/polecats.yaml",
      "  replicas: 2\n",
      "  replicas: 1\n  env:\n    - name: TOWN_SHELL_AGENT_MISBEHAVE\n      value: die-before:verify\n",
    );
    town.declareWork([{ name: "one", script: "echo run >> runs.txt" }]);
    await town.until("the convoy closes", closed);
    expect(readFileSync(join(project, "runs.txt"), "utf8")).toBe("run\n");
    const events = town.json("get", "events", "-n", "api") as { items: { reason: string }[] };
    expect(events.items.filter((event) => event.reason === "SessionEnded").length).toBeGreaterThan(0);
  });

  it("given a checked-out target with local changes, when work is ready to land, then it waits and says so, and lands once it is clean", async () => {
    writeFileSync(join(project, "check.sh"), "! grep -rl BROKEN --include='*.txt' .\n# edited\n");
    town.run("up", "-d");
    town.declareWork([{ name: "one", script: "echo one > one.txt" }]);
    await town.until("the merge waits", () => {
      const requests = town.json("get", "mergerequests", "-n", "api") as
        | { items: { status: { state: string; reason?: string } }[] }
        | undefined;
      return requests?.items.some(
        (request) =>
          request.status.state === "Waiting" && request.status.reason?.startsWith("TargetCheckedOutDirty") === true,
      );
    });
    expect(existsSync(join(project, "one.txt"))).toBe(false);
    expect(readFileSync(join(project, "check.sh"), "utf8")).toContain("# edited");
    town.git(project, "checkout", "--quiet", "--", "check.sh");
    await town.until("the convoy closes", closed);
    expect(readFileSync(join(project, "one.txt"), "utf8")).toBe("one\n");
    expect(town.git(project, "status", "--porcelain")).toBe("");
  });

  it("given a running town, when replicas change in a commit, then sessions follow; a killed one is replaced; a second controller refuses", async () => {
    town.run("up", "-d");
    const running = (): number =>
      (
        town.json("get", "sessions", "-n", "api") as
          | { items: { spec: { role: string }; status: { state: string } }[] }
          | undefined
      )?.items.filter((session) => session.spec.role === "crew" && session.status.state === "Running").length ?? -1;
    await town.until("one crew agent runs", () => running() === 1);
    town.edit("api/agentpools/crew.yaml", "replicas: 1", "replicas: 3");
    await town.until("three run", () => running() === 3);
    const pid = (town.json("get", "sessions/toast", "-n", "api") as { status: { pid: number } }).status.pid;
    process.kill(pid, "SIGKILL");
    await town.until("toast runs again", () => {
      const session = town.json("get", "sessions/toast", "-n", "api") as
        | { status: { pid: number; state: string } }
        | undefined;
      return session?.status.state === "Running" && session.status.pid !== pid;
    });
    const second = spawnSync(
      process.execPath,
      [join(import.meta.dirname, "../../dist/main.js"), "--town", town.directory],
      { encoding: "utf8", env: town.env, timeout: 120_000 },
    );
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(String(town.daemonPid));
    town.edit("api/agentpools/crew.yaml", "replicas: 3", "replicas: 0");
    await town.until("none runs", () => running() === 0);
  });

  it("given broken manifests, when they are committed, then each is shown with its place and the rest goes on", async () => {
    town.run("up", "-d");
    town.commit("broken/syntax.yaml", "kind: [unclosed\n");
    town.commit(
      "broken/field.yaml",
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: bad\n  namespace: api\nspec:\n  role: crew\n  provider: shell\n  replica: 2\n",
    );
    town.commit(
      "broken/type.yaml",
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: worse\n  namespace: api\nspec:\n  role: crew\n  provider: shell\n  replicas: many\n",
    );
    town.commit(
      "broken/dangling.yaml",
      "apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: dangling\n  namespace: api\nspec:\n  role: crw\n  provider: shell\n  replicas: 1\n",
    );
    town.edit("api/agentpools/crew.yaml", "replicas: 1", "replicas: 2");
    const problems = await town.until("all problems are shown", () => {
      const sync = town.object("town", undefined, "hq")?.status?.["sync"] as
        | { problems?: { path: string; line: number; column: number; message: string }[] }
        | undefined;
      return sync?.problems !== undefined && sync.problems.length >= 4 ? sync.problems : undefined;
    });
    const places = problems.map((problem) => `${problem.path}:${problem.line}:${problem.column}: ${problem.message}`);
    expect(places.find((text) => text.startsWith("manifests/broken/syntax.yaml:"))).toBeDefined();
    expect(places.find((text) => text.startsWith("manifests/broken/field.yaml:9:3:"))).toContain("replicas");
    expect(places.find((text) => text.startsWith("manifests/broken/type.yaml:9:13:"))).toContain("replicas");
    expect(places.find((text) => text.startsWith("manifests/broken/dangling.yaml:7:9:"))).toContain("crew");
    await town.until(
      "the good change is applied",
      () => town.object("agentpool", "api", "crew")?.spec["replicas"] === 2,
    );
  });
});
