import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TmuxSessions } from "../../../src/adapters/tmux/tmux-sessions.ts";
import type { ObservedSession } from "../../../src/ports/sessions.ts";
import { toastShell, toastStart } from "../../ports/session-start.ts";
import { alive, pause, programsBelow, until } from "../sessions/real-programs.ts";
import { tmuxInstalled, tmuxWorld, type TmuxWorld } from "./tmux-world.ts";

/** Of a file that has some. */
const content = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, "utf8") : "") || undefined;

describe.skipIf(!tmuxInstalled)("tmux runtime under attack", () => {
  let world: TmuxWorld;
  let sessions: TmuxSessions;
  beforeEach(async () => {
    world = tmuxWorld();
    sessions = await world.open();
  });
  afterEach(() => world.dispose());

  const find = async (name = "api-polecats-toast"): Promise<ObservedSession | undefined> =>
    (await sessions.observe()).sessions.find((each) => each.name === name);
  const exited = (name?: string) =>
    until("it to be Exited", async () => {
      const session = await find(name);
      return session?.state === "Exited" && session;
    });
  const serverPid = () => Number(world.tmux("display-message", "-p", "#{pid}"));
  const socket = () => join(process.env["TMUX_TMPDIR"] ?? "/tmp", `tmux-${process.getuid?.()}`, world.label);
  /** Resolves once a listener was told and the session is Exited. */
  const noticed = async (act: () => void, name?: string): Promise<void> => {
    let told: () => void = () => {};
    const edge = new Promise<void>((resolve) => {
      told = resolve;
    });
    const unsubscribe = sessions.subscribe(
      () => void find(name).then((session) => session?.state === "Exited" && told()),
    );
    act();
    await Promise.race([
      edge,
      pause(60_000).then(() => Promise.reject(new Error("an exit was not noticed within 60 s"))),
    ]);
    unsubscribe();
  };

  describe("a list that lies", () => {
    test("given panes that lost their labels, when sessions are observed again and again, then no program is touched", async () => {
      const running = await sessions.start(toastStart());
      const [program = -1] = await programsBelow(running.pid ?? -1);
      world.tmux("set-option", "-pu", "-t", "=api-polecats-toast:", "@town_name");
      for (let look = 0; look < 4; look += 1) {
        expect(await find()).toMatchObject({ state: "Running", generation: 1 });
        await pause(400);
      }
      expect(alive(program)).toBe(true);
      expect(world.log.heard.some((line) => line.includes("left alone"))).toBe(true);
      await sessions.stop("api-polecats-toast", 1, { graceMs: 500 });
      expect(alive(program)).toBe(false);
    });
  });

  describe("deaths", () => {
    test("given 30 programs killed with SIGKILL, when each dies, then it is noticed with its exit code", async () => {
      for (let round = 0; round < 30; round += 1) {
        const session = await sessions.start(toastStart({ generation: round + 1 }));
        const [program = -1] = await programsBelow(session.pid ?? -1);
        await noticed(() => process.kill(program, "SIGKILL"));
        expect(await find()).toMatchObject({
          state: "Exited",
          exitCode: 137,
          exitSignal: "SIGKILL",
          generation: round + 1,
        });
      }
    });

    test("given 20 shims killed with SIGKILL, when each dies, then tmux tells the signal and its program is ended too", async () => {
      for (let round = 0; round < 20; round += 1) {
        const session = await sessions.start(
          toastShell("trap '' HUP TERM; while :; do sleep 1; done", { generation: round + 1 }),
        );
        const [program = -1] = await programsBelow(session.pid ?? -1);
        await noticed(() => process.kill(session.pid ?? Number.NaN, "SIGKILL"));
        // Its own end is what tmux tells; what its program got by it may be told first.
        expect([137, 129]).toContain((await find())?.exitCode);
        await sessions.stop(session.name, session.generation, { graceMs: 0 });
        expect(alive(program)).toBe(false);
      }
    });

    test("given programs that exit in every way at once, when all ended, then every code is right", async () => {
      const codes = [0, 1, 2, 42, 126, 127, 255];
      await Promise.all(codes.map((code) => sessions.start(toastShell(`exit ${code}`, { name: `exit-${code}` }))));
      await Promise.all(
        codes.map(async (code) => expect(await exited(`exit-${code}`)).toMatchObject({ exitCode: code })),
      );
    });

    test("given an exit while no controller runs, when the next one looks, then the code is there", async () => {
      const over = join(world.stateDirectory, "over");
      await sessions.start(toastShell(`sleep 0.3; echo last words; : >'${over}'; exit 9`));
      await sessions.close();
      await until("its end", () => existsSync(over));
      await pause(500);
      sessions = await world.open();
      expect(await exited()).toMatchObject({ state: "Exited", exitCode: 9 });
      expect(await sessions.capture("api-polecats-toast", 5)).toContain("last words");
    });

    test("given a program that leaves children in every way, when stopped, then none of them lives", async () => {
      const pids = join(world.stateDirectory, "pids");
      const stray = "exec sleep 600";
      await sessions.start(
        toastShell(
          `(setsid sh -c 'echo $$ >>${pids}; ${stray}' &) ; (sh -c 'echo $$ >>${pids}; trap "" HUP TERM; ${stray}' &) ; sh -c 'echo $$ >>${pids}; ${stray}' & wait`,
        ),
      );
      const strays = await until("three children", () => {
        const found = existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n").map(Number) : [];
        return found.length === 3 && found;
      });
      expect(strays.every(alive)).toBe(true);
      await sessions.stop("api-polecats-toast", 1, { graceMs: 200 });
      expect(strays.filter(alive)).toEqual([]);
    });

    test("given a program that ends on SIGTERM, when stopped, then it had its grace", async () => {
      const note = join(world.stateDirectory, "note");
      const session = await sessions.start(
        toastShell(
          `trap 'sleep 0.3; echo bye >${note}; exit 0' TERM; echo ready >${note}; while :; do sleep 0.05; done`,
        ),
      );
      await until("it to be ready", () => existsSync(note));
      await sessions.stop(session.name, 1, { graceMs: 5_000 });
      expect(readFileSync(note, "utf8")).toBe("bye\n");
    });
  });

  describe("the server", () => {
    test.each([
      "kill -9",
      "kill-server",
    ])("given %s, when it happens, then it is noticed, nothing lives, and what was there is evidence", async (how) => {
      const stubborn = await sessions.start(
        toastShell("trap '' HUP; echo the last screen; while :; do sleep 1; done", { name: "stubborn" }),
      );
      const plain = await sessions.start(toastStart({ name: "plain" }));
      const programs = [...(await programsBelow(stubborn.pid ?? -1)), ...(await programsBelow(plain.pid ?? -1))];
      let told = 0;
      sessions.subscribe(() => {
        told += 1;
      });
      if (how === "kill -9") process.kill(serverPid(), "SIGKILL");
      else world.tmux("kill-server");
      await until("the loss to be told", () => told > 0);
      const seen = await until("the evidence", async () => {
        const observation = await sessions.observe();
        return observation.completeness === "ServerGone" && observation;
      });
      expect(programs.filter(alive)).toEqual([]);
      expect(seen.sessions.map((each) => [each.name, each.state])).toEqual([
        ["plain", "Exited"],
        ["stubborn", "Exited"],
      ]);
      expect(await sessions.capture("stubborn", 5)).toBe("the last screen");
      expect(await sessions.start(toastStart({ name: "plain", generation: 2 }))).toMatchObject({
        state: "Running",
        generation: 2,
      });
      expect((await sessions.observe()).completeness).toBe("Complete");
      expect((await sessions.observe()).sessions.map((each) => [each.name, each.state])).toEqual([
        ["plain", "Running"],
        ["stubborn", "Exited"],
      ]);
    });

    test("given kill-server and a start at once, when repeated, then every start succeeds", async () => {
      for (let round = 1; round <= 10; round += 1) {
        await sessions.start(toastStart({ generation: round }));
        world.tmux("kill-server");
        expect(await sessions.start(toastStart({ generation: round, name: "next" }))).toMatchObject({
          state: "Running",
        });
        await sessions.stop("next", round, { graceMs: 0 });
      }
    });

    test("given a controller that starts after the server died, when it looks, then it has the evidence", async () => {
      await sessions.start(toastStart());
      const pid = serverPid();
      await sessions.close();
      process.kill(pid, "SIGKILL");
      sessions = await world.open();
      const seen = await until("the evidence", async () => {
        const observation = await sessions.observe();
        return observation.completeness === "ServerGone" && observation;
      });
      expect(seen.sessions).toMatchObject([{ name: "api-polecats-toast", state: "Exited" }]);
    });

    test("given a frozen server, when asked, then it is Unknown with the last list, and later complete again", async () => {
      await sessions.close();
      sessions = await world.open({ timeoutMs: 2_000 });
      const session = await sessions.start(toastStart());
      await sessions.observe();
      const pid = serverPid();
      process.kill(pid, "SIGSTOP");
      try {
        const seen = await sessions.observe();
        expect(seen).toMatchObject({ completeness: "Unknown", sessions: [{ name: session.name, state: "Running" }] });
        await expect(sessions.start(toastStart({ name: "other" }))).rejects.toMatchObject({
          reason: "RuntimeNotAnswering",
        });
        await expect(sessions.stop(session.name, 1, { graceMs: 0 })).rejects.toMatchObject({
          reason: "RuntimeNotAnswering",
        });
        expect(alive(session.pid ?? -1)).toBe(true);
      } finally {
        process.kill(pid, "SIGCONT");
      }
      const again = await until("it to answer", async () => {
        const observation = await sessions.observe();
        return observation.completeness === "Complete" && observation;
      });
      expect(again.sessions).toMatchObject([{ name: session.name, state: "Running", pid: session.pid }]);
    });

    test("given a server that refuses its clients, when asked again and again, then it is Unknown and soon left alone", async () => {
      const session = await sessions.start(toastStart());
      await sessions.close();
      const bin = join(world.stateDirectory, "bin");
      mkdirSync(bin);
      const real = execFileSync("sh", ["-c", "command -v tmux"], { encoding: "utf8" }).trim();
      const refuse = `case "$*" in *attach*) echo call >>${bin}/calls; echo "protocol version mismatch (client 8, server 9)" >&2; exit 1;; esac`;
      writeFileSync(join(bin, "tmux"), `#!/bin/sh\n${refuse}\nexec ${real} "$@"\n`);
      chmodSync(join(bin, "tmux"), 0o755);
      sessions = await world.open({ environment: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` } });
      for (let looks = 0; looks < 60; looks += 1) {
        expect(await sessions.observe()).toMatchObject({ completeness: "Unknown" });
      }
      expect((await sessions.observe()).message).toContain("protocol version mismatch");
      await expect(sessions.start(toastStart({ generation: 2 }))).rejects.toMatchObject({
        reason: "RuntimeNotAnswering",
      });
      expect(readFileSync(join(bin, "calls"), "utf8").trim().split("\n").length).toBeLessThan(25);
      expect(alive(session.pid ?? -1)).toBe(true);
    });

    test("given its socket was removed, when asked, then it is made again and nothing is lost", async () => {
      const session = await sessions.start(toastStart());
      await sessions.close();
      rmSync(socket());
      sessions = await world.open();
      expect(await sessions.observe()).toMatchObject({
        completeness: "Complete",
        sessions: [{ pid: session.pid, state: "Running" }],
      });
      expect(world.tmux("list-sessions")).toContain(session.name);
    });

    test("given a stale socket and no server, when started, then it works", async () => {
      await sessions.start(toastStart());
      process.kill(serverPid(), "SIGKILL");
      await until("the loss", async () => (await sessions.observe()).completeness === "ServerGone");
      expect(existsSync(socket())).toBe(true);
      expect(await sessions.start(toastStart({ generation: 2 }))).toMatchObject({ state: "Running" });
    });

    test("given Town's own session or its client is ended by hand, when used, then it comes back", async () => {
      await sessions.start(toastStart());
      world.tmux("kill-session", "-t", "=_town");
      await until(
        "the loss of the connection to pass",
        async () => (await sessions.observe()).completeness === "Complete",
      );
      expect(await find()).toMatchObject({ state: "Running" });
      world.tmux("detach-client", "-s", "=_town");
      expect(await sessions.start(toastStart({ name: "another" }))).toMatchObject({ state: "Running" });
      expect((await sessions.observe()).sessions).toHaveLength(2);
    });

    test("given a person ends one session, when observed, then it is Exited with its output and can be started again", async () => {
      await sessions.start(toastShell("echo some output; exec sleep 600"));
      await until("the output", async () =>
        ((await sessions.capture("api-polecats-toast", 3)) ?? "").includes("some output"),
      );
      await noticed(() => world.tmux("kill-session", "-t", "=api-polecats-toast"));
      expect(await exited()).toMatchObject({ exitCode: 129, exitSignal: "SIGHUP", terminalLost: true });
      expect((await sessions.observe()).completeness).toBe("Complete");
      expect(await sessions.capture("api-polecats-toast", 3)).toBe("some output");
      expect(await sessions.start(toastStart({ generation: 2 }))).toMatchObject({ state: "Running", generation: 2 });
    });

    test("given windows of a person in an agent's session, when observed and stopped, then they are not taken for agents", async () => {
      await sessions.start(toastStart());
      world.tmux("split-window", "-d", "-t", "=api-polecats-toast:", "sleep 600");
      world.tmux("new-window", "-d", "-t", "=api-polecats-toast:", "sleep 600");
      world.tmux("new-session", "-d", "-s", "mine", "sleep 600");
      expect((await sessions.observe()).sessions).toHaveLength(1);
      await sessions.stop("api-polecats-toast", 1, { graceMs: 1_000 });
      expect(world.tmux("list-sessions", "-F", "#{session_name}").trim().split("\n").sort()).toEqual(["_town", "mine"]);
      world.tmux("kill-session", "-t", "=mine");
    });

    test("given a person's session of that name, when started, then it is an error that says so", async () => {
      await sessions.start(toastStart({ name: "other" }));
      world.tmux("new-session", "-d", "-s", "api-polecats-toast", "sleep 600");
      await expect(sessions.start(toastStart())).rejects.toMatchObject({
        reason: "SessionStartFailed",
        message: expect.stringContaining("duplicate session") as unknown,
      });
    });

    test("given no session is left, when the controller closes, then no server is left behind", async () => {
      await sessions.start(toastStart());
      const pid = serverPid();
      await sessions.stop("api-polecats-toast", 1, { graceMs: 0 });
      await sessions.close();
      await until("the server to end", () => !alive(pid));
      sessions = await world.open();
      expect(await sessions.observe()).toMatchObject({ completeness: "ServerGone", sessions: [] });
    });
  });

  describe("what reaches the program", () => {
    const nasty = "sp ace 'q' \"d\" $HOME `x` #{pid} %d \\ ; | & é✳ ~ *";

    test("given odd characters everywhere, when started, then directory, arguments and environment arrive as they are", async () => {
      const odd = tmuxWorld("st ate 'q' #{pid} %d $x");
      const there = await odd.open();
      try {
        const cwd = join(odd.stateDirectory, nasty.replaceAll("/", ""));
        mkdirSync(cwd);
        const script = 'printf "%s\\n" "$PWD" "$1" "$2" "$ODD" >out; exec sleep 600';
        await there.start(
          toastShell(script, {
            cwd,
            argv: ["sh", "-c", script, "sh", nasty, "two\nlines\t", "x"],
            env: { ODD: `${nasty}\nsecond line` },
            bead: nasty,
            role: nasty,
            agent: nasty,
          }),
        );
        const out = await until("the output", () => content(join(cwd, "out")));
        expect(out).toBe(`${cwd}\n${nasty}\ntwo\nlines\t\n${nasty}\nsecond line\n`);
        const [seen] = (await there.observe()).sessions;
        expect(seen).toMatchObject({ bead: nasty, role: nasty, agent: nasty });
        await until("the log", () => existsSync(there.logPath("api-polecats-toast", 1)));
      } finally {
        await odd.dispose();
      }
    });

    test("given secrets in the daemon's environment, when started, then the program has the base and its own and no more", async () => {
      await sessions.close();
      sessions = await world.open({
        environment: {
          ...process.env,
          SECRET_TOKEN: "s3cret",
          TMUX: "/tmp/x,1,0",
          SSH_AUTH_SOCK: "/x",
          GIT_DIR: "/y",
          TOWN_TOKEN_FILE: "/z",
        },
      });
      const out = join(world.stateDirectory, "env");
      await sessions.start(
        toastShell(`env >${out}.tmp; mv ${out}.tmp ${out}; exec sleep 600`, {
          env: { OWN_VALUE: "own-value-1", PATH: `/bin:${process.env["PATH"]}` },
        }),
      );
      const text = await until("the environment", () => content(out));
      const names = text
        .trim()
        .split("\n")
        .map((line) => line.split("=")[0] ?? "");
      const allowed = [
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "USER",
        "LOGNAME",
        "SHELL",
        "TMPDIR",
        "TZ",
        "TERM",
        "OWN_VALUE",
        "TOWN_SESSION_MARK",
        "PWD",
        "OLDPWD",
        "SHLVL",
        "_",
      ];
      expect(names.filter((name) => !allowed.includes(name))).toEqual([]);
      expect(text).toContain("OWN_VALUE=own-value-1");
      expect(text).toMatch(/^PATH=\/bin:/m);
      expect(text).toMatch(/^TERM=(tmux|screen)-256color$/m);
      expect(execFileSync("ps", ["-axww", "-o", "args="], { encoding: "utf8" })).not.toContain("own-value-1");
      expect(world.tmux("show-environment", "-g")).not.toContain("s3cret");
    });

    test("given a person attaches with secrets in the environment, when a session is started after, then they are not in it", async () => {
      await sessions.start(toastStart({ name: "first" }));
      world.tmux("set-environment", "-g", "LEAKED", "leaked-1");
      const out = join(world.stateDirectory, "env");
      await sessions.start(toastShell(`env >${out}.tmp; mv ${out}.tmp ${out}; exec sleep 600`));
      expect(await until("the environment", () => content(out))).not.toContain("leaked-1");
      expect(world.tmux("show-options", "-gv", "update-environment").trim()).toBe("");
    });

    test.each([
      { because: "the command is unknown", over: { argv: ["no-such-program"] }, says: "no-such-program" },
      { because: "the directory is missing", over: { cwd: "/no/such/directory" }, says: "/no/such/directory" },
      { because: "there is no command", over: { argv: [] }, says: "no command" },
      { because: "a variable has an impossible name", over: { env: { "A-B": "x" } }, says: "A-B" },
    ])("given a start that cannot work, when tried, then it is an error and no session: $because", async ({
      over,
      says,
    }) => {
      await expect(sessions.start(toastStart(over))).rejects.toMatchObject({
        reason: "SessionStartFailed",
        message: expect.stringContaining(says) as unknown,
      });
      expect((await sessions.observe()).sessions).toEqual([]);
    });

    test("given a size, when started, then the terminal has it", async () => {
      await sessions.start(toastShell("stty size; exec sleep 600", { columns: 123, rows: 45 }));
      await until("the size", async () => ((await sessions.capture("api-polecats-toast", 5)) ?? "").includes("45 123"));
    });

    test("given a program that sets its title, when observed, then the title and what runs are told", async () => {
      await sessions.start(toastShell("printf '\\033]2;✳ idle\\007'; sleep 600; :"));
      await until("the title", async () => (await find())?.title === "✳ idle");
      expect(await find()).toMatchObject({ currentCommand: "sh", copyMode: false });
    });
  });

  describe("cost and files", () => {
    test("given 20 sessions, when nothing happens, then no process is started and nobody is told", async () => {
      const bin = join(world.stateDirectory, "bin");
      mkdirSync(bin, { recursive: true });
      const real = execFileSync("sh", ["-c", "command -v tmux"], { encoding: "utf8" }).trim();
      writeFileSync(join(bin, "tmux"), `#!/bin/sh\necho call >>${bin}/calls\nexec ${real} "$@"\n`);
      chmodSync(join(bin, "tmux"), 0o755);
      await sessions.close();
      const counting = process.env["PATH"];
      process.env["PATH"] = `${bin}:${counting}`;
      try {
        sessions = await world.open();
        await Promise.all(Array.from({ length: 20 }, (_, index) => sessions.start(toastStart({ name: `n${index}` }))));
        await pause(500);
        const calls = () => readFileSync(join(bin, "calls"), "utf8").trim().split("\n").length;
        expect(calls()).toBeLessThanOrEqual(3);
        const before = calls();
        let told = 0;
        sessions.subscribe(() => {
          told += 1;
        });
        await pause(6_000);
        for (let round = 0; round < 50; round += 1) await sessions.observe();
        expect(calls()).toBe(before);
        expect(told).toBe(0);
      } finally {
        process.env["PATH"] = counting;
      }
    });

    test("given output, when logged, then the file has all of it from the first byte", async () => {
      await sessions.start(toastShell('i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i+1)); done'));
      await exited();
      const log = await until("the log", () => {
        const text = existsSync(sessions.logPath("api-polecats-toast", 1))
          ? readFileSync(sessions.logPath("api-polecats-toast", 1), "utf8")
          : "";
        return text.includes("line 499") && text;
      });
      expect(log.replaceAll("\r", "").split("\n").slice(0, 500)).toEqual(
        Array.from({ length: 500 }, (_, index) => `line ${index}`),
      );
    });

    test("given records of another format, when opened, then they are told and left alone", async () => {
      const path = join(world.stateDirectory, "records", "future.json");
      writeFileSync(path, '{"format":2,"name":"future"}\n');
      writeFileSync(join(world.stateDirectory, "records", "torn.json"), '{"format":1,');
      await sessions.close();
      sessions = await world.open();
      expect(world.log.heard.filter((message) => message === "passed over a session record")).toHaveLength(2);
      expect((await sessions.observe()).sessions).toEqual([]);
      expect(existsSync(path)).toBe(true);
    });

    test("given a session is stopped, when looked at the disk, then only its log is left", async () => {
      await sessions.start(toastStart());
      await sessions.stop("api-polecats-toast", 1, { graceMs: 0 });
      const left = execFileSync("find", [".", "-type", "f"], { cwd: world.stateDirectory, encoding: "utf8" })
        .trim()
        .split("\n")
        .sort();
      expect(left.filter((path) => !path.startsWith("./logs/"))).toEqual([
        "./output-log.sh",
        "./server.json",
        "./tmux-extra.conf",
        "./tmux.conf",
      ]);
    });

    test("given the files of a session, when looked at, then nobody else may read them", async () => {
      await sessions.start(toastStart({ env: { A: "b" } }));
      const modes = execFileSync(
        "sh",
        ["-c", "find . -type f -exec ls -l {} + | cut -c5-10 | sort -u; ls -ld . | cut -c5-10"],
        { cwd: world.stateDirectory, encoding: "utf8" },
      );
      expect(new Set(modes.trim().split("\n"))).toEqual(new Set(["------"]));
    });
  });
});

describe.skipIf(!tmuxInstalled)("tmux runtime while much happens", () => {
  let world: TmuxWorld;
  let sessions: TmuxSessions;
  beforeEach(async () => {
    world = tmuxWorld();
    sessions = await world.open();
  });
  afterEach(() => world.dispose());

  test("given observations all the time, when sessions come and go, then no living one is ended and no ended one returns", async () => {
    const over = new AbortController();
    const watcher = (async () => {
      while (!over.signal.aborted) {
        await sessions.observe();
        await pause(1);
      }
    })();
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    for (let generation = 1; generation <= 3; generation += 1) {
      await Promise.all(names.map((name) => sessions.start(toastStart({ name, generation }))));
      await Promise.all(names.slice(0, 4).map((name) => sessions.stop(name, generation, { graceMs: 1_000 })));
    }
    await pause(800);
    over.abort();
    await watcher;
    expect(
      (await sessions.observe()).sessions.map((each) => `${each.name} ${each.state} ${each.generation}`).sort(),
    ).toEqual(
      names
        .slice(4)
        .map((name) => `${name} Running 3`)
        .sort(),
    );
    expect(world.log.heard).toEqual([]);
  });

  test("given a controller that died before it asked tmux, when the next one looks, then nothing is there and a start works", async () => {
    writeFileSync(
      join(world.stateDirectory, "records", "api-polecats-toast.json"),
      '{"format":1,"name":"api-polecats-toast","namespace":"api","agent":"toast","role":"polecat","generation":1,"command":"sleep","startedAtMs":1}\n',
    );
    await sessions.close();
    sessions = await world.open();
    expect((await sessions.observe()).sessions).toEqual([]);
    expect(await sessions.start(toastStart())).toMatchObject({ state: "Running", generation: 1 });
  });

  test("given a controller that died right after tmux started it, when the next one looks, then it is adopted and can be ended", async () => {
    const session = await sessions.start(toastStart());
    const [program = -1] = await programsBelow(session.pid ?? -1);
    await sessions.close();
    rmSync(join(world.stateDirectory, "records", "api-polecats-toast.json"));
    sessions = await world.open();
    expect((await sessions.observe()).sessions).toMatchObject([{ pid: session.pid, state: "Running", generation: 1 }]);
    expect((await sessions.start(toastStart())).pid).toBe(session.pid);
    process.kill(Number(world.tmux("display-message", "-p", "#{pid}")), "SIGKILL");
    await until("the evidence", async () => (await sessions.observe()).completeness === "ServerGone");
    expect((await sessions.observe()).sessions).toMatchObject([{ state: "Exited" }]);
    expect(alive(program)).toBe(false);
  });

  test("given the state directory was wiped, when the next one looks, then what lives is still known by its labels", async () => {
    const session = await sessions.start(toastStart({ bead: "api-1" }));
    await sessions.close();
    rmSync(world.stateDirectory, { recursive: true });
    sessions = await world.open();
    expect((await sessions.observe()).sessions).toMatchObject([{ pid: session.pid, state: "Running", bead: "api-1" }]);
    await sessions.stop(session.name, 1, { graceMs: 1_000 });
    expect((await sessions.observe()).sessions).toEqual([]);
  });
});
