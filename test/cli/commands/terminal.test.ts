import { describe, expect, it } from "vitest";
import { nestedCommand } from "../../../src/cli/commands/terminal.ts";
import type { CommandContext } from "../../../src/cli/context.ts";
import { FakeTown } from "../fake-town.ts";
import { runTown, type Outcome } from "../run-town.ts";

const ATTACH = ["tmux", "-L", "town-1a2b", "-f", "/x/tmux.conf", "attach", "-t", "=api-polecat-toast"];

describe("nestedCommand", () => {
  it("given no tmux around, when attaching, then the command is as it is", () => {
    expect(nestedCommand(ATTACH, undefined)).toBe(ATTACH);
    expect(nestedCommand(ATTACH, "")).toBe(ATTACH);
  });

  it("given the town's own server around, when attaching, then the client moves there", () => {
    expect(nestedCommand(ATTACH, "/tmp/tmux-1000/town-1a2b,123,0")).toEqual([
      "tmux",
      "-L",
      "town-1a2b",
      "switch-client",
      "-t",
      "=api-polecat-toast",
    ]);
  });

  it("given another tmux around, when attaching, then it gets a window of its own there, with every word quoted", () => {
    expect(nestedCommand([...ATTACH, "it's"], "/tmp/tmux-1000/default,123,0")).toEqual([
      "tmux",
      "-S",
      "/tmp/tmux-1000/default",
      "new-window",
      "-n",
      "api-polecat-toast",
      "env -u TMUX tmux -L town-1a2b -f /x/tmux.conf attach -t =api-polecat-toast 'it'\\''s'",
    ]);
  });

  it("given a socket directory of its own, when attaching inside tmux, then the command keeps it", () => {
    const elsewhere = ["env", "TMUX_TMPDIR=/run/t", ...ATTACH];
    expect(nestedCommand(elsewhere, "/run/t/tmux-1000/town-1a2b,123,0")).toEqual([
      "env",
      "TMUX_TMPDIR=/run/t",
      "tmux",
      "-L",
      "town-1a2b",
      "switch-client",
      "-t",
      "=api-polecat-toast",
    ]);
    expect(nestedCommand(elsewhere, "/tmp/tmux-1000/default,1,0").at(-1)).toBe(
      "env -u TMUX env TMUX_TMPDIR=/run/t tmux -L town-1a2b -f /x/tmux.conf attach -t =api-polecat-toast",
    );
  });

  it("given a program that is not tmux, when attaching inside tmux, then it is left alone", () => {
    expect(nestedCommand(["less", "log"], "/tmp/tmux-1000/default,1,0")).toEqual(["less", "log"]);
  });
});

describe("attach", () => {
  async function attach(
    line: string,
    options: { readonly terminal?: boolean; readonly tmux?: string; readonly data?: unknown } = {},
  ): Promise<{ readonly outcome: Outcome; readonly ran: unknown[]; readonly args: unknown[] }> {
    const town = new FakeTown();
    const ran: unknown[] = [];
    const args: unknown[] = [];
    for (const verb of ["attach", "tmux", "mayor"]) {
      town.verbs.set(verb, (given) => {
        args.push(given);
        return { body: { text: "told", data: options.data ?? { command: ATTACH } } };
      });
    }
    let out = "";
    let err = "";
    const isTerminal = options.terminal ?? true;
    const overrides: Partial<CommandContext> = {
      env: options.tmux === undefined ? {} : { TMUX: options.tmux },
      streams: {
        out: (text) => void (out += text),
        err: (text) => void (err += text),
        outIsTerminal: isTerminal,
        errIsTerminal: isTerminal,
        inIsTerminal: isTerminal,
        columns: 80,
        readStdin: () => Promise.resolve(""),
      },
      programs: {
        run: (command, given) => {
          ran.push({ command, TMUX: given?.env?.["TMUX"] });
          return Promise.resolve(0);
        },
        output: () => Promise.reject(new Error("no program expected")),
        startDetached: () => {
          throw new Error("no program expected");
        },
      },
    };
    const { code } = await runTown(town, line, overrides);
    return { outcome: { code, out, err }, ran, args };
  }

  it("given an agent, when attached, then its command takes the terminal, without TMUX", async () => {
    expect(await attach("attach toast")).toMatchObject({
      outcome: { code: 0 },
      ran: [{ command: ATTACH, TMUX: undefined }],
      args: [{ agent: "toast" }],
    });
    expect((await attach("attach toast --read-only")).args).toEqual([{ agent: "toast", readOnly: true }]);
  });

  it("given another tmux around, when attached, then it runs there and TMUX stays for it", async () => {
    const { ran } = await attach("attach toast", { tmux: "/tmp/tmux-1000/default,1,0" });
    expect(ran).toMatchObject([{ TMUX: "/tmp/tmux-1000/default,1,0" }]);
  });

  it("given no terminal, or a runtime without one, when attached, then it fails and says what shows the screen", async () => {
    expect(await attach("attach toast", { terminal: false })).toMatchObject({
      outcome: { code: 1, err: expect.stringContaining("town peek toast") as string },
      ran: [],
    });
    expect(await attach("attach toast", { data: {} })).toMatchObject({
      outcome: { code: 1, err: "error: told\nhint: `town peek toast` shows its screen\n" },
      ran: [],
    });
    expect(await attach("attach")).toMatchObject({ outcome: { code: 2 }, ran: [] });
  });

  it("given words for tmux, when run, then they reach it as they are, and only what attaches needs a terminal", async () => {
    const kill = await attach("tmux kill-session -t =api-crew-toast -a", {
      terminal: false,
      tmux: "/tmp/tmux-1/default,1,0",
    });
    expect(kill).toMatchObject({
      outcome: { code: 0 },
      ran: [{ command: ATTACH }],
      args: [{ argv: ["kill-session", "-t", "=api-crew-toast", "-a"] }],
    });
    expect(await attach("tmux attach", { terminal: false })).toMatchObject({ outcome: { code: 1 }, ran: [] });
    expect(await attach("tmux", { tmux: "/tmp/tmux-1/default,1,0" })).toMatchObject({
      ran: [{ command: expect.arrayContaining(["new-window"]) as unknown }],
      args: [{ argv: [] }],
    });
  });

  it("given a text, when handed to the mayor, then it is delivered; without, the terminal is taken", async () => {
    expect(await attach("mayor build it")).toMatchObject({
      outcome: { code: 0, out: "told\n" },
      ran: [],
      args: [{ text: "build it" }],
    });
    expect(await attach("mayor")).toMatchObject({ ran: [{ command: ATTACH }], args: [{}] });
  });
});

describe("demo", () => {
  it("given flags, when run, then they reach the demo, whose exit code counts", async () => {
    const ran: (readonly string[])[] = [];
    const programs: CommandContext["programs"] = {
      run: (command) => {
        ran.push(command.slice(1));
        return Promise.resolve(3);
      },
      output: () => Promise.reject(new Error("no program expected")),
      startDetached: () => {
        throw new Error("no program expected");
      },
    };
    const { code } = await runTown(new FakeTown(), "demo --runtime process --kill-every 0.5 --keep", { programs });
    expect({ code, ran }).toEqual({
      code: 3,
      ran: [["/nowhere/dist/demo.js", "--runtime", "process", "--kill-every", "0.5", "--keep"]],
    });
    expect((await runTown(new FakeTown(), "demo --runtime docker", { programs })).code).toBe(2);
  });
});
