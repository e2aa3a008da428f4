import { describe, expect, it } from "vitest";
import { readsStdin } from "../../../src/cli/commands/pass-through.ts";
import { verbRows } from "../../../src/cli/verbs/verb-rows.ts";
import { FakeTown } from "../fake-town.ts";
import { runTown, type Outcome } from "../run-town.ts";

type Args = Readonly<Record<string, unknown>>;

async function called(
  line: string | readonly string[],
  stdin = "",
): Promise<{ readonly outcome: Outcome; readonly calls: readonly (readonly [string, Args])[] }> {
  const town = new FakeTown();
  const calls: [string, Args][] = [];
  for (const name of [...verbRows.map((row) => row.name), "bd", "why", "kubeconfig"]) {
    town.verbs.set(name, (args) => {
      calls.push([name, args]);
      return { body: { text: "done" } };
    });
  }
  const outcome = await runTown(town, line, { stdin, cwd: "/here" });
  return { outcome, calls };
}

describe("verbs", () => {
  const rows: readonly {
    readonly line: string | readonly string[];
    readonly stdin?: string;
    readonly verb: string;
    readonly args: Args;
  }[] = [
    { line: "prime", verb: "prime", args: {} },
    {
      line: "prime --hook",
      stdin: '{"session_id":"s1","source":"startup"}',
      verb: "prime",
      args: { hook: { session_id: "s1", source: "startup" } },
    },
    { line: "hook api/polecats/toast", verb: "hook", args: { agent: "api/polecats/toast" } },
    { line: "done", verb: "done", args: {} },
    {
      line: ["done", "--outcome", "Blocked", "--on", "api-x7", "-r", "needs it"],
      verb: "done",
      args: { outcome: "Blocked", on: "api-x7", reason: "needs it" },
    },
    { line: "done --commit-all", verb: "done", args: { commitAll: true } },
    { line: "close api-x1.2 --continue", verb: "close", args: { ids: ["api-x1.2"], continue: true } },
    { line: "mol current", verb: "mol current", args: {} },
    { line: "mol progress api-m1", verb: "mol progress", args: { id: "api-m1" } },
    { line: ["nudge", "toast", "pull", "main"], verb: "nudge", args: { agent: "toast", text: "pull main" } },
    { line: "nudge drain --hook", stdin: "{}", verb: "nudge drain", args: { hook: {} } },
    {
      line: ["mail", "send", "mayor", "deacon", "-s", "hello", "-m", "text"],
      verb: "mail send",
      args: { to: ["mayor", "deacon"], subject: "hello", message: "text" },
    },
    {
      line: ["mail", "send", "mayor", "-s", "hello"],
      stdin: "long text\n",
      verb: "mail send",
      args: { to: ["mayor"], subject: "hello", message: "long text\n" },
    },
    { line: "mail inbox --unread", verb: "mail inbox", args: { unread: true } },
    {
      line: "rig add api /src/api --branch trunk",
      verb: "rig add",
      args: { name: "api", source: "/src/api", branch: "trunk", cwd: "/here" },
    },
    {
      line: "rig add api /src/api --dry-run",
      verb: "rig add",
      args: { name: "api", source: "/src/api", dryRun: true, cwd: "/here" },
    },
    { line: "sling api-x1 api-x2 --to web", verb: "sling", args: { beads: ["api-x1", "api-x2"], to: "web" } },
    { line: "peek toast --lines=20", verb: "peek", args: { agent: "toast", lines: 20 } },
    { line: ["seance", "toast", "-p", "why?"], verb: "seance", args: { agent: "toast", prompt: "why?" } },
    {
      line: ["escalate", "the", "build", "is", "red", "--severity", "high"],
      verb: "escalate",
      args: { message: "the build is red", severity: "high" },
    },
    { line: "kubeconfig --write k.yaml", verb: "kubeconfig", args: { output: "/here/k.yaml" } },
    {
      line: "bd list --status open -C x --json",
      verb: "bd",
      args: { argv: ["list", "--status", "open", "-C", "x", "--json"], cwd: "/here", env: {} },
    },
    { line: "bead create --help", verb: "bd", args: { argv: ["create", "--help"], cwd: "/here", env: {} } },
    { line: "ready -n 5", verb: "bd", args: { argv: ["ready", "-n", "5"], cwd: "/here", env: {} } },
    { line: "-C /somewhere bd show x", verb: "bd", args: { argv: ["show", "x"], cwd: "/here", env: {} } },
    {
      line: "bd create --body-file -",
      stdin: "body",
      verb: "bd",
      args: { argv: ["create", "--body-file", "-"], cwd: "/here", env: {}, stdin: "body" },
    },
    { line: "bd import", stdin: "{}", verb: "bd", args: { argv: ["import"], cwd: "/here", env: {}, stdin: "{}" } },
    { line: "bd batch -f ops", verb: "bd", args: { argv: ["batch", "-f", "ops"], cwd: "/here", env: {} } },
    { line: "bd import --help", verb: "bd", args: { argv: ["import", "--help"], cwd: "/here", env: {} } },
    { line: "bd import file.jsonl", verb: "bd", args: { argv: ["import", "file.jsonl"], cwd: "/here", env: {} } },
  ];

  for (const { line, stdin, verb, args } of rows) {
    it(`given \`town ${typeof line === "string" ? line : line.join(" ")}\`, when run, then it calls ${verb} once with those arguments`, async () => {
      const { outcome, calls } = await called(line, stdin);
      expect({ outcome, calls }).toEqual({ outcome: { code: 0, out: "done\n", err: "" }, calls: [[verb, args]] });
    });
  }

  it("given every spelling of stdin, when asked, then bd's text is read, and otherwise stdin is left alone", () => {
    for (const argv of [
      ["create", "-"],
      ["create", "--stdin"],
      ["create", "--body-file=-"],
      ["create", "-d-"],
      ["update", "x", "--metadata", "@-"],
      ["batch"],
      ["import", "--dry-run"],
    ]) {
      expect(readsStdin(argv), argv.join(" ")).toBe(true);
    }
    for (const argv of [
      ["list"],
      ["create", "title", "--body-file=a-"],
      ["batch", "--file=x"],
      ["import", "-i", "x"],
      ["show", "a-b"],
      ["list", "--"],
      ["__complete", "import", "-"],
    ]) {
      expect(readsStdin(argv), argv.join(" ")).toBe(false);
    }
  });

  it("given a terminal, when bd is called, then it is told its width, and colours of the answer stay", async () => {
    const town = new FakeTown();
    const calls: Args[] = [];
    town.verbs.set("bd", (args) => {
      calls.push(args);
      return { body: { text: "\u001b[31mred\u001b[0m\u001b[2J" } };
    });
    let out = "";
    const streams = {
      out: (text: string) => void (out += text),
      err: () => {},
      outIsTerminal: true,
      errIsTerminal: true,
      inIsTerminal: true,
      columns: 100,
      readStdin: () => Promise.resolve(""),
    };
    await runTown(town, "bd list", { streams, env: { TERM: "xterm", BD_JSON_ENVELOPE: "1", HOME: "/h" } });
    expect(calls).toEqual([
      { argv: ["list"], cwd: "/nowhere", env: { TERM: "xterm", BD_JSON_ENVELOPE: "1" }, columns: 100 },
    ]);
    expect(out).toBe("\u001b[31mred\u001b[0m\n");
  });

  it("given missing or surplus arguments, when run, then nothing is called", async () => {
    for (const line of [
      "peek",
      "sling",
      "close",
      "rig add api",
      "token revoke a b",
      "hook a b c",
      "done --outcome Perfect",
      "peek toast --lines many",
      "mail send",
    ]) {
      const { outcome, calls } = await called(line);
      expect({ line, code: outcome.code, calls }).toEqual({ line, code: 2, calls: [] });
    }
  });

  it("given an answer with data, errors and a code, when printed, then each goes its way", async () => {
    const town = new FakeTown();
    town.verbs.set("hook", () => ({
      body: { text: "line\u001b[2J", errorText: "careful", data: { bead: "api-x1" }, exitCode: 4 },
    }));
    expect(await runTown(town, "hook")).toEqual({ code: 4, out: "line\n", err: "careful\n" });
    expect(await runTown(town, "hook -o json")).toEqual({
      code: 4,
      out: '{\n  "bead": "api-x1"\n}\n',
      err: "careful\n",
    });
    expect(await runTown(town, "hook -oyaml")).toMatchObject({ out: "bead: api-x1\n" });
  });

  it("given a verb the daemon lacks, when called, then the message says so; given a missing object, the verb's own", async () => {
    const town = new FakeTown();
    town.verbs.set("token revoke", () => ({
      status: 404,
      body: { kind: "Status", reason: "NotFound", message: "no merge request x", code: 404 },
    }));
    expect(await runTown(town, "sling api-x1")).toMatchObject({
      code: 1,
      err: expect.stringContaining("does not serve `sling`") as string,
    });
    expect(await runTown(town, "token revoke x")).toMatchObject({
      code: 4,
      err: "Error from server (NotFound): no merge request x\n",
    });
  });

  it("given an object, when asked why, then the verb gets its kind, namespace and name", async () => {
    const { sampleTown } = await import("../sample-town.ts");
    const town = sampleTown();
    const calls: Args[] = [];
    town.verbs.set("why", (args) => {
      calls.push(args);
      return { body: { text: "because" } };
    });
    await runTown(town, "why pool crew");
    await runTown(town, "why rig/api -o json");
    await runTown(town, "why bead gone -n web");
    expect(calls).toEqual([
      { kind: "AgentPool", name: "crew", namespace: "api" },
      { kind: "Rig", name: "api" },
      { kind: "Bead", name: "gone", namespace: "web" },
    ]);
    expect(await runTown(town, "why bead gone")).toMatchObject({
      code: 4,
      err: expect.stringContaining("say where it was with -n") as string,
    });
    expect(await runTown(town, "why pools")).toMatchObject({ code: 2 });
  });
});
