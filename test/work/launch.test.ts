import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ProviderSpec, providerSpec } from "../../src/kinds/provider/provider.schema.ts";
import { filled, launch, type LaunchInput } from "../../src/work/launch.ts";

const manifests = fileURLToPath(new URL("../../manifests/builtin/providers/", import.meta.url));

function shipped(name: string): ProviderSpec {
  return providerSpec.parse((parse(readFileSync(`${manifests}${name}.yaml`, "utf8")) as { spec: unknown }).spec);
}

function input(program: object, more: Partial<LaunchInput> = {}): LaunchInput {
  return {
    program: providerSpec.parse({ command: ["agent"], ...program }),
    sandbox: "/work/tree",
    directory: "/state/s",
    hasWork: true,
    resume: undefined,
    newSession: "11111111-1111-4111-8111-111111111111",
    shipped: { shellAgent: ["/node", "/shell.js"] },
    turnRunner: undefined,
    endsWithoutWork: true,
    ...more,
  };
}

const UNPRIMED = "Run `town prime` and do what it says.";

describe("launch", () => {
  it("given a prompt as an argument, when launched, then it comes last, after settings and the chosen id", () => {
    const started = launch(
      input(
        {
          args: ["--tui"],
          autonomyArgs: ["--yes"],
          model: "large",
          modelArgs: ["--model", "{model}"],
          effortArgs: ["--effort", "{effort}"],
          prompt: { mode: "Argument", args: ["-i", "{prompt}"] },
          resume: { args: ["--resume", "{session}"], sessionIdArgs: ["--id", "{session}"] },
        },
        { model: "small" },
      ),
    );
    const id = "11111111-1111-4111-8111-111111111111";
    expect(started.argv).toEqual(["agent", "--tui", "--yes", "--model", "small", "--id", id, "-i", UNPRIMED]);
    expect(started.session).toBe(id);
  });

  it("given nothing to do yet, when launched, then no prompt is given", () => {
    const started = launch(input({ prompt: { mode: "Argument" } }, { hasWork: false }));
    expect(started).toEqual({ argv: ["agent"], env: {}, files: [] });
  });

  it("given a conversation to go on with, when launched, then it is resumed and no id is chosen", () => {
    const started = launch(
      input(
        {
          prompt: { mode: "Argument" },
          resume: { args: ["resume", "{session}"], sessionIdArgs: ["--id", "{session}"] },
        },
        { resume: "abc" },
      ),
    );
    expect(started.argv.slice(0, 3)).toEqual(["agent", "resume", "abc"]);
    expect(started.argv[3]).toContain("interrupted");
    expect(started.session).toBe("abc");
  });

  it("given a prompt by paste, when launched, then nothing is given: it is typed once the program takes input", () => {
    expect(launch(input({ prompt: { mode: "Paste" } }))).toEqual({ argv: ["agent"], env: {}, files: [] });
  });

  it("given a prompt by file, when launched, then the file is written and named", () => {
    const started = launch(input({ prompt: { mode: "File", args: ["--read", "{promptFile}"] } }));
    expect(started.argv).toEqual(["agent", "--read", "/state/s/prompt.md"]);
    expect(started.files).toEqual([{ path: "/state/s/prompt.md", text: `${UNPRIMED}\n` }]);
  });

  it("given a prompt by standard input, when launched, then a shell connects the file without quoting anything", () => {
    const started = launch(input({ command: ["a'b"], prompt: { mode: "Stdin" } }));
    expect(started.argv).toEqual(["/bin/sh", "-c", 'exec "$@" <"$0"', "/state/s/prompt.md", "a'b"]);
  });

  it("given a shipped program's name as a word, when launched, then its command is put there; other braces stay", () => {
    const started = launch(input({ command: ["{shellAgent}", "{other}", '{"json":{"a":1}}'] }));
    expect(started.argv).toEqual(["/node", "/shell.js", "{other}", '{"json":{"a":1}}']);
  });

  it("given a start hook, when launched, then its files lie outside of the worktree and the prompt says that the task has come", () => {
    const started = launch(
      input({
        prompt: { mode: "Argument" },
        hooks: {
          events: ["SessionStart"],
          args: ["--settings", "{hooks}/a.json"],
          env: [{ name: "AGENT_CONFIG", value: "{hooks}/etc" }],
          files: [{ path: "a.json", text: '{"dir":"{sandbox}"}' }],
        },
      }),
    );
    expect(started.argv.slice(0, 3)).toEqual(["agent", "--settings", "/state/s/a.json"]);
    expect(started.argv[3]).toMatch(/^Begin\./);
    expect(started.env).toEqual({ AGENT_CONFIG: "/state/s/etc" });
    expect(started.files).toEqual([{ path: "/state/s/a.json", text: '{"dir":"/work/tree"}' }]);
  });

  describe("without a terminal", () => {
    const program = {
      modelArgs: ["--model", "{model}"],
      args: ["--tui"],
      resume: { sessionIdArgs: ["--id", "{session}"] },
      headless: { args: ["-p", "{prompt}"], resumeArgs: ["-p", "--resume", "{session}", "{prompt}"] },
    };
    const turns = (more: Partial<LaunchInput>): unknown => {
      const started = launch(input(program, { turnRunner: ["/runner"], model: "m", ...more }));
      expect(started.argv).toEqual(["/runner", "/state/s/turns.json"]);
      return JSON.parse(started.files.at(-1)?.text ?? "");
    };

    it("given a headless form, when launched, then the turns are planned and no argument for a terminal is left", () => {
      const id = "11111111-1111-4111-8111-111111111111";
      expect(turns({})).toEqual({
        format: 1,
        limitMs: 7_200_000,
        prompt: UNPRIMED,
        first: ["agent", "--model", "m", "--id", id, "-p", "{prompt}"],
        fresh: ["agent", "--model", "m", "-p", "{prompt}"],
        next: ["agent", "--model", "m", "-p", "--resume", "{session}", "{prompt}"],
        session: id,
        endsWithoutWork: true,
      });
    });

    it("given a conversation to go on with, when launched, then the first turn resumes it", () => {
      expect(
        turns({
          program: providerSpec.parse({ command: ["agent"], ...program, resume: { args: ["x"] } }),
          resume: "abc",
        }),
      ).toMatchObject({
        prompt: expect.stringContaining("interrupted") as string,
        first: ["agent", "--model", "m", "-p", "--resume", "abc", "{prompt}"],
        session: "abc",
      });
    });

    it("given no headless form, when launched, then the program runs as it is", () => {
      expect(launch(input({ prompt: { mode: "None" } }, { turnRunner: ["/runner"] })).argv).toEqual(["agent"]);
    });
  });
});

describe("filled", () => {
  it("given a value that holds a name in braces, when filled, then it is not filled again", () => {
    expect(filled("{a}-{b}", { a: "{b}", b: "x" })).toBe("{b}-x");
  });
});

describe("shipped providers", () => {
  it.each(readdirSync(manifests))("given %s, when read, then autonomy is off until somebody turns it on", (file) => {
    expect(shipped(file.replace(/\.yaml$/, "")).autonomyArgs).toEqual([]);
  });

  it("given Codex's hooks, when digested as the program does, then exactly these are trusted", () => {
    const args = shipped("codex").hooks?.args ?? [];
    const hooks = args.flatMap((arg) => {
      const [, event = "", command = "", timeout = ""] =
        /^hooks\.(\w+)=\[\{hooks=\[\{type="command",command="([^"]+)",timeout=(\d+)\}\]\}\]$/.exec(arg) ?? [];
      return event === ""
        ? []
        : [{ event: event.replace(/\B[A-Z]/g, "_$&").toLowerCase(), command, timeout: Number(timeout) }];
    });
    expect(hooks).toHaveLength(4);
    const digests = hooks.map(({ event, command, timeout }) => {
      const identity = { event_name: event, hooks: [{ async: false, command, timeout, type: "command" }] };
      return `"/<session-flags>/config.toml:${event}:0:0"={trusted_hash="sha256:${createHash("sha256").update(JSON.stringify(identity)).digest("hex")}"}`;
    });
    expect(args).toContain(`hooks.state={ ${digests.join(", ")}}`);
  });
});
