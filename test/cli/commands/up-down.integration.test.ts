import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openApi } from "../../../src/cli/connection/open-api.ts";
import { processExists, startTimesOf } from "../../../src/cli/connection/daemon-process.ts";
import { lastError } from "../../../src/cli/commands/up.ts";
import { processPrograms } from "../../../src/cli/process-programs.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { TextStreams } from "../text-streams.ts";

// A daemon in 30 lines: what the real one promises at its edges, and how it may fail.
const DAEMON = `
import { createServer } from "node:http";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
const town = process.argv[process.argv.indexOf("--town") + 1];
const how = readFileSync(town + "/behave", "utf8").trim();
const state = town + "/.git/town";
console.log(JSON.stringify({ level: "info", msg: "starting", argv: process.argv.slice(2), session: process.env.TOWN_SOCKET ?? "none" }));
if (how === "die") { console.error("Error: manifests are unreadable (mend them)"); process.exit(3); }
if (how === "die-silent") { console.log(JSON.stringify({ level: "error", msg: "the town cannot start", err: { message: "disk full" } })); process.exit(1); }
let ready = how !== "never-ready";
const server = createServer((request, response) => {
  if (request.url === "/readyz") { response.writeHead(ready ? 200 : 503); response.end(); }
  else { writeFileSync(town + "/asked", request.method + " " + request.url); response.end(JSON.stringify({ text: "ended 2 sessions" })); }
});
server.listen(town + "/api.sock", () => {
  mkdirSync(state + "/tokens", { recursive: true });
  writeFileSync(state + "/tokens/overseer", "t");
  let startTime;
  try { const stat = readFileSync("/proc/" + process.pid + "/stat", "latin1"); startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]; }
  catch { startTime = execFileSync("ps", ["-o", "lstart=", "-p", String(process.pid)], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).trim(); }
  writeFileSync(state + "/endpoint.json", JSON.stringify({ version: 1, socket: town + "/api.sock", pid: process.pid, startTime }));
});
process.on("SIGTERM", () => {
  if (how === "stubborn") return;
  rmSync(state + "/endpoint.json"); server.close(); server.closeAllConnections();
  setTimeout(() => process.exit(0), 150);
});
`;

let root: string;
let town: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "town-up-")));
  town = join(root, "t");
  mkdirSync(join(town, "manifests"), { recursive: true });
  mkdirSync(join(root, "dist"));
  writeFileSync(join(root, "dist", "main.js"), DAEMON);
  writeFileSync(join(root, "package.json"), '{"type":"module"}');
  writeFileSync(join(town, "behave"), "well");
  execFileSync("git", ["init", "-q", town], {
    env: { PATH: process.env["PATH"], HOME: root, GIT_CONFIG_GLOBAL: "/dev/null" },
  });
});
afterEach(() => {
  const pid = endpointPid();
  if (pid !== undefined && processExists(pid)) process.kill(pid, "SIGKILL");
  rmSync(root, { recursive: true, force: true });
});

function endpointPid(): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(town, ".git", "town", "endpoint.json"), "utf8")) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

async function run(
  ...argv: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const streams = new TextStreams();
  const env = { ...process.env, TOWN_SOCKET: "/run/session.sock", TOWN_TOKEN_FILE: "/nothing", TOWN_DIR: undefined };
  const code = await runProgram(
    argv,
    {
      streams,
      programs: processPrograms,
      env,
      cwd: town,
      distDirectory: join(root, "dist"),
      signal: new AbortController().signal,
      now: () => Date.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    },
    (townOption) => () => openApi({ cwd: town, env: {}, townOption }, "town/test"),
  );
  return { code, out: streams.stdout, err: streams.stderr };
}

describe("up -d and down", () => {
  it("given a town, when brought up and down, then each says so once it is true, and repeating it is fine", async () => {
    const up = await run("up", "-d");
    expect(up).toMatchObject({ code: 0, err: "" });
    const pid = endpointPid()!;
    expect(up.out).toBe(`town ${town} is up (pid ${pid}, log ${town}/.git/town/log/daemon.log)\n`);
    expect(await run("up", "-d")).toMatchObject({ code: 0, out: `town ${town} is already up (pid ${pid})\n` });
    expect(await run("down")).toEqual({ code: 0, out: `town ${town} is down\n`, err: "" });
    expect(processExists(pid)).toBe(false);
    expect(await run("down")).toEqual({ code: 0, out: `town ${town} is not up\n`, err: "" });
  });

  it("given flags and a session's variables, when brought up, then the daemon gets the flags and not the variables", async () => {
    await run("up", "-d", "--loops", "source,rigs");
    const [first = ""] = readFileSync(join(town, ".git", "town", "log", "daemon.log"), "utf8").split("\n");
    expect(JSON.parse(first)).toMatchObject({ argv: ["--town", town, "--loops", "source,rigs"], session: "none" });
  });

  it("given a daemon that dies at its start, when brought up, then its last words are shown", async () => {
    writeFileSync(join(town, "behave"), "die");
    expect(await run("up", "-d")).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        "exit code 3:\nError: manifests are unreadable (mend them)\nhint: the whole log is",
      ) as string,
    });
    writeFileSync(join(town, "behave"), "die-silent");
    expect(await run("up", "-d")).toMatchObject({
      code: 1,
      err: expect.stringContaining("the town cannot start: disk full") as string,
    });
  });

  it("given a daemon that never gets ready, when the time is over, then it exits 124 and names the log", async () => {
    writeFileSync(join(town, "behave"), "never-ready");
    expect(await run("up", "-d", "--timeout", "700ms")).toMatchObject({
      code: 124,
      err: expect.stringContaining("is not ready after 0.7 s; it still runs") as string,
    });
    await run("down");
  });

  it("given a killed daemon's endpoint, when asked, then it does not count as up, whoever has its pid now", async () => {
    await run("up", "-d");
    const pid = endpointPid()!;
    process.kill(pid, "SIGKILL");
    while (processExists(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await run("down")).toMatchObject({ out: `town ${town} is not up (pid ${pid} is gone)\n` });
    const path = join(town, ".git", "town", "endpoint.json");
    writeFileSync(path, JSON.stringify({ version: 1, socket: "x", pid: process.pid, startTime: "1" }));
    expect(await run("down")).toMatchObject({ code: 0, out: expect.stringContaining("is not up") as string });
    rmSync(join(town, "api.sock"), { force: true });
    expect(await run("up", "-d")).toMatchObject({ code: 0, out: expect.stringContaining("is up") as string });
  });

  it("given --sessions, when brought down, then the sessions are ended first", async () => {
    await run("up", "-d");
    expect(await run("down", "--sessions")).toMatchObject({ code: 0, out: `ended 2 sessions\ntown ${town} is down\n` });
    expect(readFileSync(join(town, "asked"), "utf8")).toBe("POST /apis/work.town.dev/v1alpha1/verbs/down");
  });

  it("given a daemon that does not end, when the time is over, then it exits 124 and the daemon is left alone", async () => {
    writeFileSync(join(town, "behave"), "stubborn");
    await run("up", "-d");
    expect(await run("down", "--timeout", "500ms")).toMatchObject({ code: 124 });
    expect(processExists(endpointPid()!)).toBe(true);
  });

  it("given no town, when brought up or down, then it says how to make one", async () => {
    expect(await run("-C", root, "up", "-d")).toMatchObject({
      code: 1,
      err: expect.stringContaining("town init") as string,
    });
    expect(await run("-C", root, "down")).toMatchObject({ code: 1 });
  });
});

describe("startTimesOf", () => {
  it("given this process, when asked twice, then it is the same; for a pid that is free, there is none", () => {
    expect(startTimesOf(process.pid)).toEqual(startTimesOf(process.pid));
    expect(startTimesOf(process.pid).length).toBeGreaterThan(0);
    expect(startTimesOf(2 ** 22 + 1)).toEqual([]);
  });
});

describe("lastError", () => {
  it("given logs, when read, then plain lines go before records, of which the last error counts", () => {
    const info = '{"level":"info","msg":"fine"}';
    const error = '{"level":"error","msg":"broken","err":{"message":"why"}}';
    expect(lastError(`${info}\n${error}\n${info}\n`)).toBe("broken: why");
    expect(lastError(`${info}\nError: x\n    at y\n`)).toBe("Error: x\n    at y");
    expect(lastError(`${info}\n`)).toBe("");
  });
});
