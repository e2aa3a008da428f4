import { describe, expect, it } from "vitest";
import { type Reading, runTurns, type TurnResult } from "../../src/turn-runner/turn-loop.ts";
import { type TurnPlan, turnPlanOf } from "../../src/turn-runner/turn-plan.ts";

const PLAN: TurnPlan = {
  prompt: "begin",
  first: ["agent", "--id", "s1", "{prompt}"],
  fresh: ["agent", "{prompt}"],
  next: ["agent", "--resume", "{session}", "{prompt}"],
  session: "s1",
  endsWithoutWork: true,
};
const EMPTY: Reading = { text: "nothing", work: undefined, hasMessages: false };
const work = (name: string, text = `do ${name}`): Reading => ({ text, work: name, hasMessages: false });

async function run(
  plan: Partial<TurnPlan>,
  readings: readonly Reading[],
  results: readonly Partial<TurnResult>[] = [],
): Promise<{
  readonly code: number;
  readonly commands: readonly string[];
  readonly sleptMs: number;
  readonly said: string;
  readonly receipts: readonly string[];
}> {
  const commands: string[] = [];
  const receipts: string[] = [];
  const said: string[] = [];
  let sleptMs = 0;
  let read = 0;
  const code = await runTurns(
    { ...PLAN, ...plan },
    {
      read: () => Promise.resolve(readings[Math.min(read++, readings.length - 1)] ?? EMPTY),
      run: (command) => {
        commands.push(command.join(" "));
        return Promise.resolve({ output: "", exitCode: 0, ...results[commands.length - 1] });
      },
      receipt: (reading, how) => {
        receipts.push(`${how} ${reading.text} before turn ${commands.length + 1}`);
        return Promise.resolve();
      },
      say: (text) => said.push(text),
      sleep: (ms) => {
        sleptMs += ms;
        return Promise.resolve();
      },
    },
  );
  return { code, commands, sleptMs, said: said.join("\n"), receipts };
}

describe("runTurns", () => {
  it("given work that one turn finishes, when run, then the session ends well", async () => {
    expect(await run({}, [EMPTY])).toMatchObject({ code: 0, commands: ["agent --id s1 begin"], sleptMs: 0 });
  });

  it("given work with steps, when turns end between them, then the conversation goes on with what is next", async () => {
    expect(await run({}, [work("b s2"), work("b s3"), EMPTY])).toMatchObject({
      code: 0,
      commands: ["agent --id s1 begin", "agent --resume s1 do b s2", "agent --resume s1 do b s3"],
    });
  });

  it("given work that does not move, when five turns were for nothing, then the session fails, and paused in between", async () => {
    const { code, commands, sleptMs, said } = await run({}, [work("b")]);
    expect(code).toBe(1);
    expect(commands).toHaveLength(6);
    expect(sleptMs).toBeGreaterThan(60_000);
    expect(said).toContain("b did not move");
  });

  it("given a message on an empty hook, when read, then it is the next prompt", async () => {
    const message = { text: "mail", work: undefined, hasMessages: true };
    expect((await run({}, [message, EMPTY])).commands).toEqual(["agent --id s1 begin", "agent --resume s1 mail"]);
  });

  it("given a message, when its turn begins, then it counts as shown; when the turn fails, then it is to come again", async () => {
    const mail = { text: "mail", work: undefined, hasMessages: true };
    const again = { ...mail, text: "mail again" };
    const { receipts } = await run({}, [mail, again, EMPTY], [{ exitCode: 0 }, { exitCode: 1 }]);
    expect(receipts).toEqual(["Shown mail before turn 2", "Lost mail before turn 3", "Shown mail again before turn 3"]);
  });

  it("given a persistent agent without work, when started, then no turn is run until there is some", async () => {
    const readings = [EMPTY, EMPTY, EMPTY, work("b"), ...Array.from({ length: 9 }, () => work("b"))];
    const { commands, said } = await run({ prompt: undefined as never, endsWithoutWork: false }, readings);
    expect(commands.slice(0, 2)).toEqual(["agent --id s1 do b", "agent --resume s1 do b"]);
    expect(said.split("\n")[0]).toBe("waiting for work");
  });

  it("given a turn that fails, when the next begins, then it is a new conversation after a pause", async () => {
    const { commands, sleptMs } = await run({}, [work("b"), EMPTY], [{ exitCode: 1 }]);
    expect(commands).toEqual(["agent --id s1 begin", "agent do b"]);
    expect(sleptMs).toBeGreaterThan(0);
  });

  it("given a turn that hung, when the next begins, then the conversation goes on; the second in a row ends the session", async () => {
    const hung = { exitCode: 124, hung: true };
    const once = await run({ limitMs: 60_000 }, [work("b"), EMPTY], [hung]);
    expect(once).toMatchObject({ code: 0, commands: ["agent --id s1 begin", "agent --resume s1 do b"] });
    expect(once.said).toContain("turn ended with 124: it did not end by itself within 1 minutes");
    const twice = await run({ limitMs: 60_000 }, [work("b"), work("c"), work("d")], [hung, hung]);
    expect(twice).toMatchObject({ code: 1 });
    expect(twice.commands).toHaveLength(2);
  });

  it("given a program that prints its session's id, when the next turn begins, then that one goes on", async () => {
    const { commands } = await run(
      { session: undefined as never, sessionIdPattern: '"id":"(\\w+)"' },
      [work("b"), EMPTY],
      [{ exitCode: 0, output: 'x\n{"id":"abc"}\n' }],
    );
    expect(commands[1]).toBe("agent --resume abc do b");
  });

  it("given a program that cannot resume, when the next turn begins, then it is a conversation of its own", async () => {
    expect((await run({ next: undefined as never }, [work("b"), EMPTY])).commands[1]).toBe("agent do b");
  });

  it("given a prompt that looks like a placeholder, when put in, then it stays text", async () => {
    expect((await run({}, [work("b", "say {session}"), EMPTY])).commands[1]).toBe("agent --resume s1 say {session}");
  });
});

describe("turnPlanOf", () => {
  it.each([
    ['{"format":2}', "`format` must be 1"],
    ['{"format":1,"first":[],"fresh":["a"]}', "`first` must be a command"],
    ['{"format":1,"first":["a"],"fresh":["a"],"next":"b"}', "`next` must be a command"],
  ])("given %s, when read, then the field is named", (text, message) => {
    expect(() => turnPlanOf(text)).toThrow(message);
  });
});
