import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import { createNodeProcesses, type NodeProcessesOptions } from "../../src/adapters/node-processes.ts";
import type { ProcessIdentity } from "../../src/ports/processes.ts";
import { processesContract } from "../ports/processes.contract.ts";

const ENV = { PATH: process.env["PATH"] ?? "" };
const sh = (script: string): string[] => ["sh", "-c", script, "sh"];

async function temporaryRoot(): Promise<string> {
  const root = await realpath(await mkdtemp(`${tmpdir()}/town-processes-`));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  return root;
}

function contractOn(name: string, options: NodeProcessesOptions): void {
  processesContract(name, async () => {
    const cwd = await realpath(await mkdtemp(`${tmpdir()}/town-processes-`));
    return {
      processes: createNodeProcesses(options),
      programs: {
        echo: ["echo"],
        fails: sh("echo out; echo err >&2; exit 3"),
        cat: ["cat"],
        env: sh("env | sed -n 's/^\\(TOWN_[A-Z]*\\)=.*/\\1/p'"),
        pwd: ["pwd"],
        sleeps: ["sleep", "600"],
        stubborn: sh("trap '' TERM; while :; do sleep 0.2; done"),
        chatty: sh("head -c 204800 /dev/zero | tr '\\0' x; echo; echo end"),
      },
      cwd,
      env: ENV,
      pass: (ms) => new Promise((done) => setTimeout(done, ms)),
      readText: (path) => readFile(path, "utf8"),
      close: () => rm(cwd, { recursive: true, force: true }),
    };
  });
}

contractOn("node", {});
contractOn("node with ps", { identity: "ps" });

const gone = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition()) && performance.now() < end) await new Promise((done) => setTimeout(done, 20));
  expect(await condition()).toBe(true);
}

describe("createNodeProcesses", () => {
  const processes = createNodeProcesses();
  const pidsIn = (text: string): number[] => text.trim().split(/\s+/).map(Number);

  test("given a program that leaves a child behind, when it ends, then the child is ended too and the run does not wait for it", async () => {
    const cwd = await temporaryRoot();
    const result = await processes.run("sh", ["-c", "sleep 600 & echo $!"], { cwd, env: ENV, timeoutMs: 120_000 });
    expect(result.exitCode).toBe(0);
    expect(result.durationMs).toBeLessThan(60_000);
    await until(() => gone(pidsIn(result.output)[0] ?? 0));
  });

  test("given a program with children, when its time is over, then the whole group is gone", async () => {
    const cwd = await temporaryRoot();
    const result = await processes.run("sh", ["-c", "sleep 600 & echo $!; sleep 600 & echo $!; wait"], {
      cwd,
      env: ENV,
      timeoutMs: 300,
    });
    expect(result).toMatchObject({ timedOut: true, signal: "SIGTERM" });
    for (const pid of pidsIn(result.output)) await until(() => gone(pid));
  });

  test("given the caller is killed before the start is recorded, when the gate's other end closes, then the program never runs", async () => {
    const cwd = await temporaryRoot();
    const script = `
      import { createNodeProcesses } from ${JSON.stringify(new URL("../../src/adapters/node-processes.ts", import.meta.url).href)};
      await createNodeProcesses().run("sh", ["-c", "echo ran > ran"], { cwd: ${JSON.stringify(cwd)}, env: { PATH: process.env.PATH }, timeoutMs: 60000,
        started: async (identity) => { console.log(identity.pid); await new Promise(() => setInterval(() => {}, 1000)); } });
    `;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    child.kill("SIGKILL");
    await until(() => gone(Number(line.toString())));
    await expect(readFile(`${cwd}/ran`)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("given the caller is killed while a program writes its log, when a later life looks, then it finds the program alive and the log goes on", async () => {
    const cwd = await temporaryRoot();
    const script = `
      import { createNodeProcesses } from ${JSON.stringify(new URL("../../src/adapters/node-processes.ts", import.meta.url).href)};
      await createNodeProcesses().run("sh", ["-c", "echo one; sleep 1; echo two; sleep 600"], { cwd: ${JSON.stringify(cwd)}, env: { PATH: process.env.PATH }, timeoutMs: 60000,
        logPath: ${JSON.stringify(`${cwd}/log`)}, started: async (identity) => console.log(JSON.stringify(identity)) });
    `;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const identity = JSON.parse(line.toString()) as ProcessIdentity;
    await until(async () => (await readFile(`${cwd}/log`, "utf8")) === "one\n");
    child.kill("SIGKILL");
    expect(await processes.probe(identity)).toBe("Alive");
    await until(async () => (await readFile(`${cwd}/log`, "utf8")) === "one\ntwo\n");
    await processes.terminate(identity, 2000);
    expect(await processes.probe(identity)).toBe("Dead");
  });

  test("given init, when probed, then it is alive with its own start time and not with another", async () => {
    for (const identity of ["proc", "ps"] as const) {
      const table = createNodeProcesses({ identity });
      const init = await table.identify(1);
      expect(init?.pid).toBe(1);
      expect(await table.probe(init as ProcessIdentity)).toBe("Alive");
      expect(await table.probe({ ...(init as ProcessIdentity), startTime: "Mon Jan  1 00:00:00 2001" })).toBe("Dead");
    }
  });

  test("given a file that may not be executed, when run, then it says so", async () => {
    const cwd = await temporaryRoot();
    await writeFile(`${cwd}/plain`, "text", { mode: 0o644 });
    await expect(processes.run("./plain", [], { cwd, env: ENV, timeoutMs: 1000 })).rejects.toMatchObject({
      reason: "CommandNotExecutable",
    });
    await expect(processes.run("sh", [], { cwd: `${cwd}/none`, env: ENV, timeoutMs: 1000 })).rejects.toMatchObject({
      reason: "DirectoryMissing",
    });
  });

  test("given a program without PATH in its environment, when run by path, then it runs", async () => {
    const cwd = await temporaryRoot();
    expect((await processes.run("/bin/sh", ["-c", "echo fine"], { cwd, env: {}, timeoutMs: 10_000 })).output).toBe(
      "fine\n",
    );
  });

  test("given a program that does not read its large input, when run, then it still ends well", async () => {
    const cwd = await temporaryRoot();
    const result = await processes.run("true", [], { cwd, env: ENV, timeoutMs: 10_000, input: "x".repeat(1_000_000) });
    expect(result.exitCode).toBe(0);
  });
});
