import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../adapters/sessions/real-programs.ts";
import { killGroup } from "../started-groups.ts";
import { builtShellAgent } from "./built-shell-agent.ts";
import { FakeTown } from "./fake-town.ts";

const program = builtShellAgent();
let home: string;
let worktree: string;
let town: FakeTown;
const children: ChildProcess[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "town-shell-agent-"));
  worktree = join(home, "work tree");
  mkdirSync(worktree);
  git("init", "-q", "-b", "main");
  writeFileSync(join(worktree, "README"), "hello\n");
  git("add", "-A");
  git("commit", "-q", "-m", "first");
  town = new FakeTown(join(home, "town.sock"));
  town.base = git("rev-parse", "HEAD");
  writeFileSync(join(home, "token"), `${town.token}\n`);
  await town.listen();
});
afterEach(async () => {
  for (const child of children.splice(0)) killGroup(child);
  await town.close();
  rmSync(home, { recursive: true, force: true });
});

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env["PATH"] ?? "",
  HOME: home,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "api/polecats/toast",
  GIT_AUTHOR_EMAIL: "owner@example.org",
  GIT_COMMITTER_NAME: "owner",
  GIT_COMMITTER_EMAIL: "owner@example.org",
  TOWN_SOCKET: town.socketPath,
  TOWN_TOKEN_FILE: join(home, "token"),
  TOWN_AGENT: "api/polecats/toast",
  TOWN_NAMESPACE: "api",
  TOWN_GENERATION: "1",
  ...more,
});

function git(...args: readonly string[]): string {
  return execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
    cwd: worktree,
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: home, GIT_CONFIG_NOSYSTEM: "1" },
  }).trim();
}

function start(more: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [program()], {
    cwd: worktree,
    env: environment(more),
    stdio: "pipe",
    detached: true,
  });
  children.push(child);
  const run = {
    child,
    output: "",
    ended: new Promise<number | string>((resolve) =>
      child.on("close", (code, signal) => resolve(code ?? signal ?? "")),
    ),
  };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (run.output += text));
  return run;
}

/** With what its blocks left behind. */
const block = (...lines: readonly string[]) => `Do it.\n\n\`\`\`sh\n${lines.join("\n")}\n\`\`\`\n`;

test("given a bead with two blocks and three steps, when run, then it commits once and hands in", async () => {
  town.bead = {
    id: "api-1",
    title: "Greet # the town",
    description: `${block('echo "hello from $TOWN_AGENT" > HELLO.txt', "echo shown")}${block('echo "$TOWN_BEAD $TOWN_STEP $TOWN_ATTEMPT $TOWN_BASE" >> HELLO.txt')}`,
  };
  town.steps = ["implement", "verify", "submit"];
  const run = start();
  expect(await run.ended).toBe(0);
  expect(town.reports).toEqual(["close api-1.implement", "close api-1.verify", "done Submitted"]);
  expect(town.calls.find((call) => call.verb === "close")?.args).toEqual({ id: "api-1.implement", continue: true });
  expect(readFileSync(join(worktree, "HELLO.txt"), "utf8")).toBe(
    `hello from api/polecats/toast\napi-1 implement 1 ${town.base}\n`,
  );
  expect(git("log", "--format=%an <%ae> %cn%n%B", `${town.base}..HEAD`)).toBe(
    "api/polecats/toast <owner@example.org> owner\nGreet # the town\n\nTown-Bead: api-1\nTown-Agent: api/polecats/toast",
  );
  expect(git("status", "--porcelain")).toBe("");
  expect(run.output).toContain("shown\n");
});

test("given a block that fails, when run, then the rest does not run and the tail is reported", async () => {
  town.bead = {
    id: "api-1",
    title: "t",
    description: `${block("echo before", "echo why >&2", "false", "echo not reached > x")}${block("touch second")}`,
  };
  town.steps = ["implement", "submit"];
  expect(await start().ended).toBe(0);
  expect(town.reports).toEqual(["done Failed"]);
  const reason = String(town.calls.find((call) => call.verb === "done")?.args["reason"]);
  expect(reason).toMatch(/^step implement: block 1 of 2 ended with exit code 1; its last output:\nbefore\nwhy$/);
  expect(existsSync(join(worktree, "x")) || existsSync(join(worktree, "second"))).toBe(false);
});

test("given nothing to change, when run, then it ends as NoChange", async () => {
  town.bead = { id: "api-1", title: "t", description: block("true") };
  expect(await start().ended).toBe(0);
  expect(town.reports).toEqual(["done NoChange"]);
});

test("given feedback of an earlier attempt, when run, then the block reads it outside the worktree", async () => {
  Object.assign(town, {
    attempt: 2,
    feedback: "gate 'test' failed\nline 2",
    bead: {
      id: "api-1",
      title: "t",
      description: block('cp "$TOWN_FEEDBACK_FILE" got', 'echo "$TOWN_FEEDBACK_FILE" >> got'),
    },
  });
  expect(await start().ended).toBe(0);
  const [first, second, path = ""] = readFileSync(join(worktree, "got"), "utf8").split("\n");
  expect([first, second?.slice(0, 6)]).toEqual(["gate 'test' failed", "line 2"]);
  expect(`${second}${path}`).toContain(join(".git", "town-shell-agent"));
});

test("given the town is away, when started, then it waits, says so once, and works when the town comes", async () => {
  town.bead = { id: "api-1", title: "t", description: block("touch x") };
  await town.close();
  const run = start();
  await until("it to wait", () => run.output.includes("waiting for the town"));
  await new Promise((resolve) => setTimeout(resolve, 900));
  await town.listen();
  expect(await run.ended).toBe(0);
  expect(run.output.split("waiting for the town")).toHaveLength(2);
  expect(run.output).toContain("the town is back");
  expect(town.reports).toEqual(["done Submitted"]);
});

test.each([
  { code: 401, reason: "Unauthorized" },
  { code: 403, reason: "Forbidden" },
  { code: 409, reason: "Fenced" },
])("given the answer $code $reason, when run, then it ends with 3 and says why", async ({ code, reason }) => {
  town.refuse = { verb: "prime", code, reason };
  const run = start();
  expect(await run.ended).toBe(3);
  expect(run.output).toContain(`this session may do nothing more: town prime: refused with ${reason}`);
});

test("given trouble in the town, when it answers 503 once, then the call is made again", async () => {
  town.bead = { id: "api-1", title: "t", description: block("touch x") };
  town.refuse = { verb: "done", code: 503, reason: "ServiceUnavailable" };
  expect(await start().ended).toBe(0);
  expect(town.reports).toEqual(["done Submitted", "done Submitted"]);
});

test("given a persistent agent, when idle, then it shows its prompt and a typed line makes it look", async () => {
  town.exit = false;
  const run = start();
  await until("the prompt", () => run.output.endsWith("shell-agent api/polecats/toast> "));
  town.bead = { id: "api-1", title: "t", description: block("touch x") };
  const before = town.calls.length;
  run.child.stdin?.write("You have work\n");
  await until("the work to be handed in", () => town.reports.includes("done Submitted"));
  expect(town.calls.length).toBeGreaterThan(before);
  await until("the prompt again", () => run.output.endsWith("shell-agent api/polecats/toast> "));
  run.child.stdin?.write("exit\n");
  expect(await run.ended).toBe(0);
});

test.each([
  "die-before:implement",
  "die-after:implement",
  "die-before:submit",
])("given %s, when started again, then the work is there once", async (misbehave) => {
  town.bead = { id: "api-1", title: "t", description: block("echo once >> x") };
  town.steps = ["implement", "submit"];
  const more = { TOWN_SHELL_AGENT_MISBEHAVE: misbehave };
  expect(await start(more).ended).toBe("SIGKILL");
  expect(await start(more).ended).toBe(0);
  expect(readFileSync(join(worktree, "x"), "utf8")).toBe("once\n");
  expect(git("rev-list", "--count", `${town.base}..HEAD`)).toBe("1");
  expect(town.reports).toEqual(["close api-1.implement", "done Submitted"]);
});

test("given a kill in the middle of a block, when started again, then the half-done effort is thrown away", async () => {
  town.bead = {
    id: "api-1",
    title: "t",
    description: block("echo line >> README", "echo new >> new", "[ -e ../again ] || { touch ../again; sleep 60; }"),
  };
  const first = start();
  await until("the block to be in its middle", () => existsSync(join(home, "again")));
  first.child.kill("SIGKILL");
  await first.ended;
  const second = start();
  expect(await second.ended).toBe(0);
  expect(second.output).toContain("was cut off");
  expect(readFileSync(join(worktree, "README"), "utf8")).toBe("hello\nline\n");
  expect(readFileSync(join(worktree, "new"), "utf8")).toBe("new\n");
});

test("given hang or ignore-hook, when started, then it stays alive and reports nothing until it is ended", async () => {
  town.bead = { id: "api-1", title: "t", description: block("touch x") };
  const hanging = start({ TOWN_SHELL_AGENT_MISBEHAVE: "hang:work" });
  await until("it to hang", () => hanging.output.includes("misbehaving: hang work"));
  hanging.child.stdin?.end();
  const ignoring = start({ TOWN_SHELL_AGENT_MISBEHAVE: "ignore-hook" });
  await until("it to ignore", () => ignoring.output.includes("misbehaving: ignore-hook"));
  ignoring.child.stdin?.end("look at your hook\n");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([hanging.child.exitCode, ignoring.child.exitCode]).toEqual([null, null]);
  expect(town.reports).toEqual([]);
  hanging.child.kill("SIGTERM");
  ignoring.child.kill("SIGTERM");
  expect([await hanging.ended, await ignoring.ended]).toEqual(["SIGTERM", "SIGTERM"]);
  expect(await start({ TOWN_SHELL_AGENT_MISBEHAVE: "hang:work,ignore-hook" }).ended).toBe(0);
});

test("given finish-without-exit, when the work is handed in, then it stays at its prompt", async () => {
  town.bead = { id: "api-1", title: "t", description: block("touch x") };
  const run = start({ TOWN_SHELL_AGENT_MISBEHAVE: "finish-without-exit" });
  await until("the prompt", () => run.output.endsWith("> "));
  expect(town.reports).toEqual(["done Submitted"]);
  expect(run.child.exitCode).toBeNull();
});

test("given a block that leaves a program in the background, when run, then it is not waited for", async () => {
  town.bead = { id: "api-1", title: "t", description: block("sleep 20 &", "echo $! > ../background", "touch x") };
  expect(await start().ended).toBe(0);
  process.kill(Number(readFileSync(join(home, "background"), "utf8")));
});

test("given a missing variable, when started, then it says which and ends with 2", async () => {
  const run = start({ TOWN_SOCKET: "" });
  expect(await run.ended).toBe(2);
  expect(run.output).toContain("TOWN_SOCKET is not set");
  const wrong = start({ TOWN_SHELL_AGENT_MISBEHAVE: "explode" });
  expect(await wrong.ended).toBe(2);
  expect(wrong.output).toContain("'explode' must be one of");
});

test("given control characters in a title, when shown, then they do not reach the terminal", async () => {
  town.bead = { id: "api-1", title: "evil \u001b]2;owned\u0007 title", description: block("true") };
  const run = start();
  await run.ended;
  expect(run.output).toContain("evil ]2;owned title");
  expect(run.output).not.toContain("\u001b");
  expect(readdirSync(worktree)).toEqual([".git", "README"]);
});
