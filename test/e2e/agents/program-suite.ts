import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Conversation } from "../../../src/work/conversation.ts";
import { AgentTown } from "./agent-town.ts";
import { type AgentProgram, installed } from "./installed.ts";

/** What is asked of every program that comes with a tested manifest. */
export function describeProgram(program: AgentProgram): void {
  const found = installed(program);
  if ("missing" in found) {
    process.stderr.write(`\nSKIPPED: tests of the real program ${program}: ${found.missing}\n\n`);
    describe.skip(`${program}: ${found.missing}`, () => it("is not installed", () => {}));
    return;
  }

  describe(`${program}, with a scripted model`, () => {
    let town: AgentTown;

    beforeEach(async () => {
      town = await AgentTown.make(program, found.bin);
      expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    });

    afterEach(() => town.end());

    const conversations = (): readonly Conversation[] =>
      (town.agent("worker")?.metadata["town.conversations"] as readonly Conversation[] | undefined) ?? [];

    it("given a bead, when the pool takes it, then the program is primed by its start hook, works, commits, and its work lands", async () => {
      town.work("first", [
        "RUN: echo done by a program > first.txt",
        "RUN: git add --all && git commit --quiet -m 'Write first'",
        "RUN: town done --outcome Submitted",
      ]);
      await town.until("the convoy closes", () => town.isClosed("first"));
      expect(readFileSync(join(town.project, "first.txt"), "utf8")).toBe("done by a program\n");
      expect(town.git(town.project, "log", "--format=%an", "--", "first.txt")).toMatch(/^api\/workers\/[a-z]+$/);
      const first = town.server.turns[0]?.entries.map(({ text }) => text).join("\n") ?? "";
      expect(first).toContain("Your hook holds api-");
      expect(first).toContain("Begin. Your task came with the start of this session");
      const conversation = await town.until("its sandbox is removed", () =>
        conversations().find(({ ended }) => ended === "SandboxRemoved"),
      );
      expect(conversation).toMatchObject({ provider: program, generation: 1 });
      // opencode keeps its conversations in a database of its own, and tells no file.
      if (program === "opencode") expect(conversation.transcript).toBeUndefined();
      else expect(readFileSync(conversation.transcript ?? "", "utf8")).toContain("done by a program");
      expect(town.git(town.project, "status", "--porcelain")).toBe("");
    });

    it("given a program killed in the middle of a turn, when it is replaced, then the next one goes on with the same conversation", async () => {
      town.work("second", [
        "RUN: echo once >> second.txt",
        "HANG: 600000",
        "RUN: git add --all && git commit --quiet -m 'Write second'",
        "RUN: town done --outcome Submitted",
      ]);
      await town.until("the first command ran", () =>
        town.server.turns.some(({ entries }) => entries.some(({ from }) => from === "Tool")),
      );
      const [held] = conversations();
      expect(held).toMatchObject({ provider: program, generation: 1 });
      const session = town.json("get", "sessions", "-n", "api") as { items: { status: { pid: number } }[] };
      process.kill(session.items[0]?.status.pid ?? 0, "SIGKILL");
      await town.until("the convoy closes", () => town.isClosed("second"));
      expect(conversations()[0]).toMatchObject({ session: held?.session, startedAt: held?.startedAt });
      expect(conversations()[0]?.generation).toBeGreaterThan(1);
      const resumed = town.server.turns.find(({ entries }) =>
        entries.some(({ text }) => text.includes("was interrupted and goes on")),
      );
      expect(resumed?.entries.some(({ from }) => from === "Tool")).toBe(true);
    });

    it("given an agent idle at its prompt, when it is nudged, then the doorbell makes it read the message and do it", async () => {
      town.edit("api/agentpools/crew.yaml", "replicas: 0", "replicas: 1");
      const name = await town.until("the crew has a member", () => town.agent("crew")?.name);
      // What its start hook hands over lies in a conversation that nobody has begun: the nudge comes after that.
      // Codex and opencode call it with the first prompt only.
      if (program === "claude" || program === "gemini")
        await town.until("its start hook has called", () => town.agent("crew")?.metadata["town.conversations"]);
      await town.until("the program is at its prompt", () => town.isAtPrompt(name));
      expect(town.server.turns).toEqual([]);
      expect(town.run("nudge", name, "Do this, please:\nRUN: echo heard > heard.txt")).toMatchObject({ status: 0 });
      const file = join(town.directory, "rigs", "api", "crew", name, "heard.txt");
      await town.until("the message is acted on", () => existsSync(file));
      expect(readFileSync(file, "utf8")).toBe("heard\n");
      const asked = town.server.turns[0]?.entries.map(({ text }) => text).join("\n") ?? "";
      expect(asked).toContain("1 message for you");
      expect(asked.split("RUN: echo heard").length - 1).toBe(1);
    });

    it.skipIf(program === "gemini")(
      "given work that is done and its sandbox gone, when its agent is asked, then a copy of the conversation answers",
      async () => {
        town.work("asked", [
          "RUN: echo asked > asked.txt && git add --all && git commit --quiet -m 'Write asked'",
          "RUN: town done --outcome Submitted",
        ]);
        const held = await town.until("its sandbox is removed", () =>
          conversations().find(({ ended }) => ended === "SandboxRemoved"),
        );
        const before = readFileSync(held.transcript ?? "/dev/null", "utf8");
        const name = town.agent("worker")?.name ?? "";
        const asked = await town.runBeside(
          "seance",
          name,
          "-p",
          "Why was it done?\nSAY: for the sake of the test",
          "-o",
          "json",
        );
        expect(JSON.parse(asked.stdout)).toMatchObject({
          from: "Fork",
          session: held.session,
          answer: expect.stringContaining("for the sake of the test") as string,
        });
        const last =
          town.server.turns
            .at(-1)
            ?.entries.map((entry) => entry.text)
            .join("\n") ?? "";
        expect(last).toContain("Why was it done?");
        expect(last).toContain("Write asked");
        expect(readFileSync(held.transcript ?? "/dev/null", "utf8")).toBe(before);
      },
    );

    it("given work that is handed off, when the next session starts, then it begins a new conversation with the note", async () => {
      town.work("fourth", [
        "RUN: test -e note || { touch note; town handoff 'the first half is done'; sleep 60; }",
        "RUN: echo done > fourth.txt",
        "RUN: rm note && git add --all && git commit --quiet -m 'Write fourth'",
        "RUN: town done --outcome Submitted",
      ]);
      await town.until("the convoy closes", () => town.isClosed("fourth"));
      const held = conversations();
      expect(held.map(({ ended }) => ended)).toEqual(["SandboxRemoved", "HandedOff"]);
      expect(new Set(held.map(({ session }) => session)).size).toBe(2);
      const second = town.server.turns.find(({ entries }) =>
        entries.some(({ text }) => text.includes("the first half is done")),
      );
      expect(second?.entries.some(({ from }) => from === "Tool")).toBe(false);
    });

    // The manifests of the others name no such hook: Gemini CLI calls its one before every request.
    it.skipIf(program === "gemini" || program === "opencode")(
      "given a context that is full, when the program is about to compact it, then its hook hands off and a fresh session goes on",
      async () => {
        town.work("fifth", [
          "FULL: echo one >> fifth.txt",
          // A scripted model compacts in no time, and a session that handed off goes on until it is ended.
          'RUN: test "$TOWN_GENERATION" -gt 1 || sleep 120',
          "RUN: git add --all && git commit --quiet -m 'Write fifth'",
          "RUN: town done --outcome Submitted",
        ]);
        await town.until("the convoy closes", () => town.isClosed("fifth"));
        expect(conversations().map(({ ended }) => ended)).toEqual(["SandboxRemoved", "HandedOff"]);
        const fresh = town.server.turns.find(({ entries }) =>
          entries.some(({ text }) => text.includes("The context was full")),
        );
        expect(fresh?.entries.some(({ from }) => from === "Tool")).toBe(false);
      },
    );

    it("given the installed program, when its provider is tested, then everything passes and its version counts as tested", async () => {
      await town.until("the program is found", () => town.object("provider", undefined, program)?.status?.["program"]);
      const tested = await town.runBeside("provider", "test", program);
      expect(`${tested.stdout}${tested.stderr}`).not.toMatch(/FAILED|Error/);
      const checks = tested.stdout.split("\n").flatMap((line) => /^ok +([a-z ]+):/.exec(line)?.[1] ?? []);
      expect(checks).toEqual(["start", "first prompt", "idle", "stop hook", "prompt hook", "resume", "headless"]);
      const { status } = town.object("provider", undefined, program) ?? {};
      expect(status?.["tested"]).toEqual({ from: status?.["version"], to: status?.["version"] });
      expect(existsSync(join(town.directory, "rigs", ".conformance", program))).toBe(false);
    });
  });

  describe(`${program} without a terminal, with a scripted model`, () => {
    let town: AgentTown;

    beforeEach(async () => {
      town = await AgentTown.make(program, found.bin, "Process");
      expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    });

    afterEach(() => town.end());

    it("given a bead, when a turn ends before its work, then the next turn goes on with the conversation, hears what came in it, and the work lands", async () => {
      town.work("third", ["RUN: echo one >> third.txt", "RUN: sleep 4"]);
      const stopped = await town.until("a second turn goes on with the conversation", () =>
        town.server.turns.find(({ entries }) =>
          entries.some(({ from, text }) => from === "Model" && text.includes("nothing left to do")),
        ),
      );
      expect(stopped.entries.some(({ from }) => from === "Tool")).toBe(true);
      const name = town.agent("worker")?.name ?? "";
      // In the middle of a turn: its stop hook must not take what the program would not act upon any more.
      expect(
        town.run(
          "nudge",
          name,
          "RUN: git add --all\nRUN: git commit --quiet -m 'Write third'\nRUN: town done --outcome Submitted",
        ),
      ).toMatchObject({ status: 0 });
      await town.until("the convoy closes", () => town.isClosed("third"));
      expect(readFileSync(join(town.project, "third.txt"), "utf8")).toMatch(/^(?:one\n)+$/);
    });
  });
}
