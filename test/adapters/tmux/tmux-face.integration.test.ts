import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import { until } from "../sessions/real-programs.ts";
import { tmuxInstalled, tmuxWorld, type TmuxWorld } from "./tmux-world.ts";

describe.skipIf(!tmuxInstalled)("tmux face", () => {
  let world: TmuxWorld;
  let sessions: TmuxSessions;
  let person: ChildProcess | undefined;
  beforeEach(() => {
    world = tmuxWorld();
  });
  afterEach(async () => {
    person?.kill("SIGKILL");
    person = undefined;
    await world.dispose();
  });

  const start = (namespace: string, role: string, agent: string, argv: readonly string[] = ["sleep", "600"]) =>
    sessions.start({
      name: `${namespace}-${role}s-${agent}`,
      namespace,
      agent,
      role,
      generation: 1,
      bead: `${namespace}-x1`,
      cwd: "/tmp",
      env: {},
      argv,
    });
  const option = (name: string, target?: string) =>
    world.tmux("show-options", ...(target === undefined ? ["-gv"] : ["-pv", "-t", target]), name).trim();
  const attach = async (name: string) => {
    const command = sessions.attachCommand(name).join(" ");
    person = spawn("/usr/bin/script", ["-qec", `stty cols 200 rows 50; ${command}`, "/dev/null"], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, TERM: "xterm", TMUX: undefined },
    });
    await until("the person to be attached", () => world.tmux("list-clients", "-F", "#{session_name}").includes(name));
  };
  const looksAt = () =>
    world
      .tmux("list-clients", "-F", "#{client_control_mode} #{session_name}")
      .trim()
      .split("\n")
      .find((line) => line.startsWith("0 "))
      ?.slice(2);
  const press = (keys: string) => void person?.stdin?.write(keys);

  test("given the shipped configuration, when the server starts, then tmux takes every line of it", async () => {
    sessions = await world.open({ townCommand: ["/opt/it's town", "-C", "/t"] });
    await start("api", "polecat", "toast");
    expect(world.log.heard).toEqual([]);
    expect(option("remain-on-exit")).toBe("on");
    expect(option("mouse")).toBe("on");
    const keys = world.tmux("list-keys", "-N", "-T", "prefix");
    for (const note of [
      "next agent",
      "previous agent",
      "choose among the agents of this rig",
      "the town at a glance",
      "peek at an agent",
      "sling work",
    ]) {
      expect(keys).toContain(note);
    }
    expect(world.tmux("list-keys", "-T", "prefix", "t")).toContain("it");
  });

  test("given no town command, when the server starts, then no popup is bound to fail", async () => {
    sessions = await world.open();
    await start("api", "polecat", "toast");
    expect(world.tmux("list-keys", "-N", "-T", "prefix")).not.toContain("the town at a glance");
  });

  test("given a person's configuration, when sourced, then it wins, and its mistakes cost nothing but themselves", async () => {
    sessions = await world.open({
      extraConfig: "set -g mouse off\nset -g remain-on-exit off\nset -g update-environment SECRET",
    });
    await start("api", "polecat", "toast", ["sh", "-c", "exit 4"]);
    expect(option("mouse")).toBe("off");
    const exited = await until("the exit", async () =>
      (await sessions.observe()).sessions.find((each) => each.state === "Exited"),
    );
    expect(exited.exitCode).toBe(4);
    expect(await sessions.capture(exited.name, 5)).toBeDefined();
    await sessions.close();
    await world.dispose();
    world = tmuxWorld();
    sessions = await world.open({ extraConfig: "set -g mouse off\nset -g no-such-option 1\nbind { unclosed" });
    await start("api", "polecat", "toast");
    expect(option("remain-on-exit")).toBe("on");
    expect(world.log.heard).toContain("the tmux configuration has errors");
  });

  test("given status texts, when shown, then they stand in the line as they are and are set once", async () => {
    sessions = await world.open();
    await start("api", "polecat", "toast");
    await start("api", "polecat", "rye");
    const texts = new Map([["api-polecats-toast", "Working #[fg=red]#{pid} 'x'\u001b[2J"]]);
    await sessions.showStatus("3 agents, convoy 2/7", texts);
    expect(option("@town_status")).toBe("3 agents, convoy 2/7");
    expect(world.tmux("display-message", "-p", "-t", "=api-polecats-toast:", "#{T:status-left}")).toContain(
      "polecat/toast",
    );
    expect(option("@town_state", "=api-polecats-toast:")).toBe("Working ##[fg=red]##{pid} 'x' [2J");
    expect(option("@town_state", "=api-polecats-rye:")).toBe("");
    await sessions.showStatus("3 agents, convoy 2/7", new Map());
    expect(option("@town_state", "=api-polecats-toast:")).toBe("");
  });

  test("given no server, when status texts are shown, then nothing happens", async () => {
    sessions = await world.open();
    await sessions.showStatus("quiet", new Map());
    expect(await sessions.observe()).toMatchObject({ completeness: "ServerGone" });
  });

  test.skipIf(process.platform !== "linux")(
    "given agents of two rigs, when a person presses next and previous, then they pass through agents only",
    async () => {
      sessions = await world.open();
      for (const [namespace, role, agent] of [
        ["api", "polecat", "rye"],
        ["api", "polecat", "toast"],
        ["web", "crew", "ann"],
      ] as const)
        await start(namespace, role, agent);
      await attach("api-polecats-toast");
      press("\u0002n");
      await until("the next agent", () => looksAt() === "web-crews-ann");
      press("\u0002n");
      await until("the first agent again", () => looksAt() === "api-polecats-rye");
      press("\u0002p");
      await until("the last agent", () => looksAt() === "web-crews-ann");
    },
  );
});
