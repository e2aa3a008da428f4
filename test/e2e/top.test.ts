import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasTmux, TownProcess } from "./town-process.ts";

const cli = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));
const LABEL = `town-top-test-${process.pid}`;

/** A terminal of 80x24 with a shell in it, on a tmux server of this test's own. */
class Terminal {
  readonly #town: TownProcess;

  constructor(town: TownProcess) {
    this.#town = town;
    this.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "/bin/sh");
    this.run("PS1='shell> '");
  }

  tmux(...args: string[]): string {
    const { stdout, stderr, status } = spawnSync("tmux", ["-L", LABEL, ...args], {
      encoding: "utf8",
      env: { ...this.#town.env, TERM: "xterm-256color", LC_ALL: "C.UTF-8" },
    });
    if (status !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  type(text: string): void {
    this.tmux("send-keys", "-l", text);
  }

  press(...keys: string[]): void {
    this.tmux("send-keys", ...keys);
  }

  run(command: string): void {
    this.type(command);
    this.press("Enter");
  }

  get screen(): string {
    return this.tmux("capture-pane", "-p");
  }

  async sees(what: string, pattern: RegExp): Promise<string> {
    try {
      return await this.#town.until(what, () => {
        const { screen } = this;
        return pattern.test(screen) ? screen : undefined;
      });
    } catch (error) {
      throw new Error(`${String(pattern)} is not on the screen:\n${this.screen}`, { cause: error });
    }
  }
}

describe.skipIf(!hasTmux())("town top in a terminal", () => {
  const town = new TownProcess();
  let terminal: Terminal;
  const top = `${process.execPath} ${cli} -C ${town.directory} top`;

  beforeAll(() => {
    town.init();
    // The convoy waits: the crew member is all that runs.
    town.edit("hq/convoys/first.yaml", "spec:", "spec:\n  suspend: true");
    expect(town.run("up", "-d").status).toBe(0);
    terminal = new Terminal(town);
  });

  afterAll(() => {
    spawnSync("tmux", ["-L", LABEL, "kill-server"], { env: town.env });
    town.end();
  });

  it("given a town, when opened, then 80x24 shows its agents, convoys, rigs and events, and changes as they come", async () => {
    terminal.run(top);
    await terminal.sees("the crew member rests", /sample\/toast +crew +Idle/);
    await terminal.sees("the town", /^Town town {2}Synced main@[0-9a-f]{7} {2}Healthy/);
    await terminal.sees("how many run", /Agents 1\/30 running/);
    const screen = await terminal.sees("the convoy", /hq\/first +░+ 0\/2 .*Suspended/);
    expect(screen.trimEnd().split("\n")).toHaveLength(24);
    await terminal.sees("the sum of work", /sample +True +main +1 +0 +1 +0/);
    expect(town.run("scale", "agentpool/crew", "-n", "sample", "--replicas", "2").status).toBe(0);
    await terminal.sees("a second one", /sample\/\w+ +crew +Idle[^]*sample\/\w+ +crew +Idle/);
  });

  it("given a chosen agent, when described, peeked and nudged, then it is that one, and q comes back", async () => {
    terminal.press("G", "Enter");
    const described = await terminal.sees(
      "its description",
      /describe Agent\/sample\/\w+[^]*Identity: +sample\/crew\//,
    );
    const agent = /describe Agent\/(sample\/\w+)/.exec(described)?.[1] ?? "";
    terminal.press("q", "p");
    await terminal.sees("its screen", new RegExp(`peek ${agent}, session 1: live[^]*shell-agent`));
    terminal.press("n");
    terminal.type("look at the stars");
    await terminal.sees("what is typed", new RegExp(`nudge ${agent}: look at the stars_`));
    terminal.press("Enter");
    await terminal.sees("its word", /reads it at its next prompt/);
    await terminal.sees("what the agent makes of it", /look at the stars/);
    terminal.press("q");
    await terminal.sees("the lists again", /AGENT +ROLE/);
  });

  it("given a convoy, when suspended by key, then it is asked first, and git has the commit", async () => {
    terminal.press("Tab", "s");
    await terminal.sees("the question", /resume Convoy\/hq\/first\? \(y\/n\)/);
    terminal.press("n", "s", "y");
    await terminal.sees("the answer", /Convoy\/hq\/first resumed/);
    expect(town.git(town.directory, "log", "-1", "--format=%s")).toContain("convoy hq/first: spec.suspend");
    await terminal.sees("its end", /hq\/first +█+ 2\/2/);
  });

  it("given a controller that is killed, when it comes back, then the view says both, and goes on", async () => {
    const pid = town.daemonPid;
    if (pid === undefined) throw new Error("no controller");
    process.kill(pid, "SIGKILL");
    const lost = await terminal.sees("it is lost", /disconnected for \d+s, retrying/);
    expect(lost).toContain("hq/first");
    expect(town.run("up", "-d").status).toBe(0);
    await terminal.sees("it is back", /load [\d.]+ [\d.]+ [\d.]+ of \d+[^]*sample\/\w+ +crew +Idle/);
  });

  it("given another size, a stop and a continuation, when drawn again, then it fills the terminal each time", async () => {
    terminal.tmux("resize-window", "-x", "130", "-y", "40");
    await terminal.sees("lists beside each other", /CONVOY.*MERGE REQUEST/);
    terminal.press("C-z");
    await terminal.sees("the shell", /Stopped/);
    terminal.run("fg");
    await terminal.sees("the view", /CONVOY.*MERGE REQUEST/);
    terminal.tmux("resize-window", "-x", "50", "-y", "10");
    const small = await terminal.sees("a small one", /^Town town/);
    expect(small.trimEnd().split("\n").length).toBeLessThanOrEqual(10);
    terminal.tmux("resize-window", "-x", "80", "-y", "24");
  });

  it("given q, or SIGTERM, when it ends, then the terminal is as before", async () => {
    terminal.press("q");
    // What is typed before the prompt is there would still be the view's.
    await terminal.sees("the shell again", /shell>\s*$/);
    terminal.run("echo ended $?");
    await terminal.sees("the exit code", /^ended 0$/m);
    terminal.run(`${top}; echo signal $?`);
    await terminal.sees("it again, in the foreground", /sample\/\w+ +crew +Idle/);
    const pid = spawnSync("pgrep", ["-f", `${cli} -C ${town.directory} top`], { encoding: "utf8" }).stdout.trim();
    process.kill(Number(pid.split("\n").at(-1)), "SIGTERM");
    const after = await terminal.sees("the shell", /^signal 143$/m);
    expect(after).toMatch(/^ended 0$/m);
    expect(terminal.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}").trim()).toBe("0 1");
  });

  it("given no terminal, when asked once or as json, then it prints and ends", () => {
    expect(town.run("top").stdout).toMatch(/^Town town {2}Synced/);
    expect(town.run("top", "--once").stdout).toContain("sample/");
    const data = JSON.parse(town.run("top", "-o", "json").stdout) as { rigs: unknown[]; town: { capacity: number } };
    expect(data).toMatchObject({ town: { capacity: 30 }, rigs: [{ name: "sample", work: { ready: 0 } }] });
    expect(town.run("top", "agents", "--sort-by", "memory").stdout).toMatch(
      /NAMESPACE +NAME +ROLE[^]*crew +Idle +\d+m +\d+Mi/,
    );
    expect(town.run("top", "nodes").stdout).toMatch(/localhost +\d+m/);
  });
});
