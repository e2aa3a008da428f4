import { beforeEach, describe, expect, it } from "vitest";
import { seanceVerb } from "../../src/daemon/seance-verb.ts";
import type { LoopPorts } from "../../src/ports/loop-ports.ts";
import type { RunOptions } from "../../src/ports/processes.ts";
import { AGENT } from "../../src/work/agent-record.ts";
import { overseer, TOAST, type VerbSite, verbSite } from "../verbs/verb-site.ts";

const CONVERSATION = {
  provider: "claude",
  session: "0d1f-aaaa",
  transcript: "/home/pat/t.jsonl",
  directory: "/town/rigs/api/polecats/toast",
  generation: 3,
  bead: "api-x1",
  startedAt: "2026-01-01T00:00:00Z",
  ended: "SandboxRemoved",
};
const OLDER = { ...CONVERSATION, session: "9e2b-bbbb", generation: 2, transcript: undefined };

describe("town seance", () => {
  let site: VerbSite;
  let runs: { readonly argv: readonly string[]; readonly options: RunOptions }[];
  let removed: string[];
  let answer: { exitCode?: number; output: string; timedOut: boolean };

  beforeEach(async () => {
    site = await verbSite();
    runs = [];
    removed = [];
    answer = { exitCode: 0, output: "Because of \u001b[1mthe lock order\u001b[0m.\n", timedOut: false };
    site.objects.push({
      kind: "Provider",
      metadata: { name: "claude" },
      spec: {
        command: ["claude"],
        headless: { args: [], forkArgs: ["-p", "--resume", "{session}", "--fork-session", "{prompt}"] },
      },
    });
    await know([CONVERSATION, OLDER]);
  });
  const know = (conversations: readonly object[]): Promise<unknown> =>
    site.api.transact({ actor: "x" }, (tx) =>
      tx.setMetadata("api-agent-toast", { [AGENT.conversations]: conversations, [AGENT.generation]: 3 }),
    );
  const seance = (args: Record<string, unknown>, caller = overseer) => {
    const processes = {
      run: (program: string, args_: readonly string[], options: RunOptions) => {
        runs.push({ argv: [program, ...args_], options });
        return Promise.resolve({ aborted: false, durationMs: 1, ...answer });
      },
    };
    const ports = { ...site.ports, processes, sessionPath: "/bin" } as unknown as LoopPorts;
    const verb = seanceVerb({
      ports,
      environment: { HOME: "/home/pat" },
      removeEmptyDirectory: (path) => {
        removed.push(path);
        return Promise.resolve();
      },
      logPath: (name, generation) => `/log/${name}-${generation}`,
    });
    return site.call(verb, { agent: "toast", ...args }, caller);
  };

  it("given former sessions, when no question is asked, then they are listed, newest first", async () => {
    const { text } = await seance({});
    expect(text.split("\n").map((line) => line.split(/ {3,}/)[0])).toEqual(["SESSION", "0d1f-aaaa", "9e2b-bbbb"]);
    expect(runs).toEqual([]);
  });

  it("given a question, when asked, then a copy of the newest session answers, without a token of this town", async () => {
    const { text } = await seance({ prompt: "why a mutex; rm -rf /" });
    expect(text).toBe("Because of the lock order.");
    expect(runs[0]?.argv).toEqual(["claude", "-p", "--resume", "0d1f-aaaa", "--fork-session", "why a mutex; rm -rf /"]);
    expect(runs[0]?.options.env).toMatchObject({ HOME: "/home/pat", TOWN_TOKEN_FILE: "/dev/null" });
    // Its sandbox is gone: the program is run where the conversation was held all the same, and nothing stays there.
    expect(runs[0]?.options.cwd).toBe(CONVERSATION.directory);
    expect(removed).toEqual([CONVERSATION.directory]);
  });

  it("given the beginning of a session's id, when asked, then it is that one; an unknown or doubtful one is refused", async () => {
    await seance({ prompt: "x", session: "9e" });
    expect(runs[0]?.argv).toContain("9e2b-bbbb");
    await expect(seance({ prompt: "x", session: "7" })).rejects.toMatchObject({ reason: "NotFound" });
    await know([CONVERSATION, { ...OLDER, session: "0d1f-cccc" }]);
    await expect(seance({ prompt: "x", session: "0d" })).rejects.toMatchObject({ reason: "Ambiguous" });
  });

  it("given a program that fails, when asked, then what was said is shown with why", async () => {
    answer = { exitCode: 1, output: "No conversation found\n", timedOut: false };
    await site.ports.files.makeDirectory("/home/pat");
    const lines = [
      { type: "user", message: { role: "user", content: "pick a lock" } },
      { type: "assistant", message: { role: "assistant", content: [{ type: "text", text: "a mutex it is" }] } },
    ];
    await site.ports.files.writeAtomic("/home/pat/t.jsonl", lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const { text, data } = await seance({ prompt: "x" });
    expect(text).toContain("user: pick a lock\n\nassistant: a mutex it is");
    expect(data).toMatchObject({ from: "Transcript", why: expect.stringContaining("No conversation found") });
  });

  it("given a program that tells no conversation, when asked, then its last kept output is shown", async () => {
    await know([]);
    await site.ports.files.makeDirectory("/log");
    await site.ports.files.writeAtomic("/log/api-polecat-toast-2", "step \u001b[32mdone\u001b[0m\n");
    const { text } = await seance({ prompt: "x" });
    expect(text).toMatch(/generation 2[\s\S]*step done/);
    expect(runs).toEqual([]);
  });

  it("given nothing kept, when asked, then it says so; also of an agent whose pool is gone", async () => {
    await know([]);
    site.objects.splice(0, site.objects.length);
    await expect(seance({ agent: TOAST, prompt: "x" })).rejects.toMatchObject({
      reason: "NothingKept",
      hint: expect.stringContaining("town agent cv"),
    });
  });
});
