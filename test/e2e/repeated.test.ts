import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HeldSocket } from "./held-socket.ts";
import { type Answer, TownProcess } from "./town-process.ts";

const CLI = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));

describe("an answer that is lost with the daemon", () => {
  let town: TownProcess;
  let socket: HeldSocket;

  beforeEach(async () => {
    town = new TownProcess();
    town.initWithNobody();
    town.declare("AgentPool", "api/polecats", "{ role: polecat, provider: shell, replicas: 0 }");
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("the rig is ready", () => town.run("bd", "list", "--rig", "api").status === 0);
    const endpoint = JSON.parse(readFileSync(join(state(), "endpoint.json"), "utf8")) as { socket: string };
    socket = await HeldSocket.listen(join(town.home, "held.sock"), endpoint.socket);
  });
  afterEach(async () => {
    await socket.close();
    town.end();
  });

  const state = (): string => join(town.directory, ".git", "town");

  /** Runs a command whose first answer is held back until the daemon that gave it is killed; then a new one is started. */
  async function withoutFirstAnswer(verb: string, ...args: readonly string[]): Promise<Answer> {
    const held = socket.hold({ verb, what: "Answer" });
    const child = spawn(process.execPath, [CLI, ...args], {
      cwd: town.directory,
      env: { ...town.env, TOWN_SOCKET: socket.path, TOWN_TOKEN_FILE: join(state(), "tokens", "overseer") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await held;
    process.kill(town.daemonPid ?? 0, "SIGKILL");
    socket.letGo();
    expect(await town.runBeside("up", "-d")).toMatchObject({ status: 0 });
    return { status: await ended, stdout, stderr };
  }

  it("given work that is made, slung and written about, when each answer is lost, then it is asked for again and there is one of each", async () => {
    const made = await withoutFirstAnswer("bd", "bd", "create", "Once", "--rig", "api", "--silent");
    expect(made).toMatchObject({ status: 0, stderr: "" });
    const slung = await withoutFirstAnswer("sling", "sling", "do this once", "--to", "api");
    expect(slung).toMatchObject({ status: 0, stderr: "" });
    const sent = await withoutFirstAnswer("mail send", "mail", "send", "overseer", "-s", "Read once", "-m", "now");
    expect(sent).toMatchObject({ status: 0, stderr: "" });

    const beads = JSON.parse(town.run("bd", "list", "--rig", "api", "--json").stdout) as {
      id: string;
      title: string;
    }[];
    expect(beads.map(({ title }) => title).toSorted()).toEqual(["Once", "do this once"]);
    expect(beads.map(({ id }) => id)).toContain(made.stdout.trim());
    expect(slung.stdout).toMatch(
      new RegExp(`^${beads.find(({ title }) => title === "do this once")?.id} slung to api`),
    );
    const { mails } = town.json("mail", "inbox") as { mails: readonly { readonly subject: string }[] };
    expect(mails.map(({ subject }) => subject)).toEqual(["Read once"]);
  });
});
