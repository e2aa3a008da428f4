import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { until } from "../adapters/sessions/real-programs.ts";
import { tmuxInstalled, tmuxWorld } from "../adapters/tmux/tmux-world.ts";
import { builtShellAgent } from "./built-shell-agent.ts";
import { FakeTown } from "./fake-town.ts";

/** The readiness pattern of the shipped provider manifest. */
const READY = /shell-agent .*> $/;

describe.skipIf(!tmuxInstalled)("shell-agent in tmux", () => {
  const program = builtShellAgent();

  test("given a persistent agent at its prompt, when work comes and the doorbell rings, then it works and is idle again", async () => {
    const world = tmuxWorld();
    const home = mkdtempSync(join(tmpdir(), "town-shell-agent-"));
    const town = new FakeTown(join(home, "town.sock"));
    try {
      const cwd = join(home, "tree");
      mkdirSync(cwd);
      const git = (...args: readonly string[]) =>
        execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], {
          cwd,
          encoding: "utf8",
        }).trim();
      git("init", "-q", "-b", "main");
      git("commit", "-q", "--allow-empty", "-m", "first");
      Object.assign(town, { exit: false, base: git("rev-parse", "HEAD") });
      writeFileSync(join(home, "token"), town.token);
      await town.listen();
      const sessions = await world.open();
      const name = "api-polecats-toast";
      await sessions.start({
        name,
        namespace: "api",
        agent: "toast",
        role: "polecat",
        generation: 1,
        cwd,
        argv: [process.execPath, program()],
        env: {
          HOME: home,
          TOWN_SOCKET: town.socketPath,
          TOWN_TOKEN_FILE: join(home, "token"),
          TOWN_AGENT: "api/polecats/toast",
          TOWN_NAMESPACE: "api",
          TOWN_GENERATION: "1",
          GIT_AUTHOR_NAME: "toast",
          GIT_AUTHOR_EMAIL: "t@example.org",
          GIT_COMMITTER_NAME: "t",
          GIT_COMMITTER_EMAIL: "t@example.org",
        },
      });
      const idle = async () =>
        READY.test((await sessions.capture(name, 1)) ?? "") &&
        (await sessions.observe()).sessions[0]?.title === "shell-agent idle";
      await until("the prompt", idle);
      town.bead = { id: "api-1", title: "t", description: "```sh\nsleep 0.5; echo done > x\n```" };
      expect(await sessions.type(name, 1, "town: you have work")).toBe("Typed");
      await until(
        "it to be busy",
        async () => (await sessions.observe()).sessions[0]?.title?.startsWith("shell-agent busy api-1") === true,
      );
      await until("the report", () => town.reports.includes("done Submitted"));
      await until("the prompt again", idle);
      expect(readFileSync(join(cwd, "x"), "utf8")).toBe("done\n");
      expect(town.calls.filter((call) => call.verb === "prime").length).toBeLessThan(8);
    } finally {
      await world.dispose();
      await town.close();
      rmSync(home, { recursive: true, force: true });
    }
  });
});
