import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TownProcess } from "./town-process.ts";

const SECRET = "planted-4f9d2c71e8b35a60";

const POOL = `apiVersion: town.dev/v1alpha1
kind: AgentPool
metadata:
  name: polecats
  namespace: api
spec:
  role: polecat
  provider: shell
  replicas: 1
`;

describe("what agents and people say, in a real town", () => {
  let town: TownProcess;
  let project: string;

  beforeEach(() => {
    town = new TownProcess();
    project = town.initWithRig();
    town.commit("api/agentpools/polecats.yaml", POOL);
  });
  afterEach(() => town.end());

  /** Makes a bead whose work is this script and has it worked; returns its id. */
  function sling(title: string, script: string): string {
    const description = `\`\`\`sh\n${script}\n\`\`\``;
    const made = town.run("bd", "create", title, "--rig", "api", "--description", description, "--json");
    expect(made).toMatchObject({ status: 0 });
    const { id } = JSON.parse(made.stdout) as { id: string };
    expect(town.run("sling", id)).toMatchObject({ status: 0 });
    return id;
  }
  const closed = (id: string) => (): boolean => town.object("bead", "api", id)?.status?.["state"] === "closed";
  const text = (name: string): string => readFileSync(join(project, name), "utf8");

  it("given a handoff in the middle of the work, when the next session starts, then it goes on at the same step with the note", async () => {
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    const id = sling(
      "hand off once",
      `if [ "$TOWN_GENERATION" = 1 ]; then
  town hook > /dev/null
  town handoff "the door is red"
  sleep 60
fi
town prime > primed.txt
town hook > hook.txt
town sandbox > sandbox.txt
cd /
town mol current > "$OLDPWD/molecule.txt"`,
    );
    await town.until("the work is merged", closed(id));
    expect(text("primed.txt")).toContain("the door is red");
    expect(text("primed.txt")).toContain("## Now: step 1 of 3, implement");
    expect(text("hook.txt")).toContain(id);
    expect(text("sandbox.txt")).toContain(`branch  town/agents/api/`);
    expect(text("molecule.txt")).toContain("→ implement");
    const agents = town.json("get", "agents", "-n", "api") as {
      items: { spec: { handedOff?: number }; status: { failures?: number; kills?: number } }[];
    };
    const worker = agents.items.find((agent) => agent.spec.handedOff !== undefined);
    expect(worker).toMatchObject({ spec: { handedOff: 1 } });
    expect([worker?.status.failures ?? 0, worker?.status.kills ?? 0]).toEqual([0, 0]);
    const events = town.json("get", "events", "-n", "api") as { items: { reason: string }[] };
    expect(events.items.map((event) => event.reason)).toContain("SessionHandedOff");
  });

  it("given a worker that reaches beyond its role, then each attempt is refused with what to do, recorded, and nothing changed; no secret is anywhere", async () => {
    const secretFile = join(town.home, "secret.txt");
    writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
    town.commit(
      "api/agentpools/polecats.yaml",
      `${POOL}  env:\n    - name: DEPLOY_KEY\n      valueFrom:\n        file: ${secretFile}\n`,
    );
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    const other = JSON.parse(town.run("bd", "create", "not yours", "--rig", "api", "--json").stdout) as { id: string };
    const id = sling(
      "reach too far",
      `try() { echo "$ $*" >> denied.txt; "$@" >> denied.txt 2>&1 < /dev/null && echo "ALLOWED $*" >> denied.txt || true; }
try town hook toast ${other.id}
try town sling ${other.id}
try town scale agentpool/polecats -n api --replicas 9
try town delete agentpool/polecats -n api
try town token create eve --role admin
try town down --sessions
try town nudge overseer hello
test -n "$DEPLOY_KEY" && echo "secret reached the program" > secret-seen.txt
ps -eo args > processes.txt 2>/dev/null || true
grep -c ${SECRET.slice(0, 8)}-4 processes.txt > leaked.txt || true
rm processes.txt`,
    );
    await town.until("the work is merged", closed(id));
    const denied = text("denied.txt");
    expect(denied).not.toContain("ALLOWED");
    expect(denied.match(/^\$ /gm)).toHaveLength(7);
    for (const attempt of denied.split(/^\$ /m).slice(1))
      expect(attempt, attempt).toMatch(/(?:^|: )(?:town|bd|git) .*\n$/m);
    expect(denied).toMatch(/Role 'polecat' lacks the permission Sling/);
    expect(text("leaked.txt").trim()).toBe("0");
    expect(text("secret-seen.txt")).toBe("secret reached the program\n");
    const events = town.json("get", "events", "-n", "api") as { items: { reason: string; message: string }[] };
    expect(events.items.filter((event) => event.reason === "Denied").length).toBeGreaterThan(2);
    expect(town.object("agentpool", "api", "polecats")?.spec["replicas"]).toBe(1);
    const tokens = [readFileSync(join(town.directory, ".git/town/tokens/overseer"), "utf8").trim(), SECRET];
    const holders = tokens.map((token) => filesWith(town.directory, token));
    expect(holders[0]).toEqual([join(town.directory, ".git/town/tokens/overseer")]);
    expect(holders[1]).toEqual([]);
    const shown = spawnSync("tmux", ["-L", town.tmuxLabel, "show-environment", "-g"], {
      env: town.env,
      encoding: "utf8",
    });
    for (const token of tokens) {
      expect(shown.stdout).not.toContain(token);
      for (const args of [
        ["get", "events", "-A"],
        ["get", "sessions", "-A", "-o", "yaml"],
        ["get", "agents", "-A", "-o", "yaml"],
      ])
        expect(town.run(...args).stdout).not.toContain(token);
    }
  });

  it("given a town without a mayor, when one is written to, then it is declared in git, runs, and has the mail", async () => {
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    const said = town.run("mayor", "build a settings page");
    expect(said).toMatchObject({ status: 0 });
    expect(said.stdout).toContain("sent to mayor");
    expect(town.git(town.directory, "log", "-1", "--format=%an %s")).toMatch(/mayor/i);
    expect(existsSync(join(town.directory, "manifests/hq/agentpools/mayor.yaml"))).toBe(true);
    await town.until("the mayor runs", () => {
      const session = town.object("session", "hq", "mayor");
      return session?.status?.["state"] === "Running";
    });
    expect(town.run("hook", "mayor").stdout).toContain("nothing is on the hook of mayor");
    expect(town.run("peek", "mayor")).toMatchObject({ status: 0 });
    expect(town.run("mayor", "and a second thing").stdout).not.toContain("made in hq");
    expect(town.git(town.directory, "status", "--porcelain")).toBe("");
  });

  it("given a program that a person starts, when it joins, then it works its hook with plain commands, and leaves", async () => {
    town.commit("api/agentpools/polecats.yaml", POOL.replace("replicas: 1", "replicas: 0"));
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("the rig is ready", () => town.run("bd", "list", "--rig", "api").status === 0);
    const { id } = JSON.parse(town.run("bd", "create", "by hand", "--rig", "api", "--json").stdout) as { id: string };
    const program = `town hook > /dev/null && echo made > joined.txt && git add --all && git commit --quiet --message 'by hand' && town hook && town done && town hook`;
    expect(town.run("join", "pat")).toMatchObject({ status: 0 });
    expect(town.run("hook", "pat", id)).toMatchObject({ status: 0 });
    await town.until(
      "its worktree is for the work",
      () => town.object("sandbox", "api", "pat")?.status?.["bead"] === id,
    );
    const worked = town.run("join", "pat", "--", "sh", "-c", program);
    expect(worked.stdout).toContain(`${id} submitted`);
    expect(worked).toMatchObject({ status: 0, stderr: expect.stringContaining("api/crew/pat has left") });
    await town.until("the work is merged", closed(id));
    expect(text("joined.txt")).toBe("made\n");
    expect(town.git(project, "log", "-1", "--format=%an", "--", "joined.txt")).toBe("api/crew/pat");
    const events = town.json("get", "events", "-n", "api") as { items: { reason: string; message: string }[] };
    expect(events.items.filter((event) => event.reason === "SessionStarted" && event.message.includes(id))).toEqual([]);
  });
});

/** Plain files below a directory that hold a text. */
function filesWith(directory: string, wanted: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => join(directory, name))
    .filter((path) => existsSync(path) && statSync(path).isFile() && readFileSync(path).includes(wanted));
}
