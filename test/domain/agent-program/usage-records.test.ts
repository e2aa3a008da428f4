import { describe, expect, it } from "vitest";
import {
  type ModelUsage,
  readUsage,
  USAGE_START,
  type UsageFormat,
} from "../../../src/domain/agent-program/usage-records.ts";
import { fc } from "../../property.ts";

const lines = (...records: readonly unknown[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("");

const claude = (id: string, output: number, model = "claude-opus-4-5"): unknown => ({
  type: "assistant",
  message: {
    id,
    model,
    usage: { input_tokens: 10, output_tokens: output, cache_read_input_tokens: 1_000, cache_creation_input_tokens: 5 },
  },
});
const codex = (input: number, output: number): unknown => ({
  type: "event_msg",
  payload: {
    type: "token_count",
    info: { total_token_usage: { input_tokens: input, cached_input_tokens: input / 2, output_tokens: output } },
  },
});

/** What all looks together count, when the file is read up to each of these places in turn. */
function inParts(format: UsageFormat, text: string, cuts: readonly number[]): readonly ModelUsage[] {
  const bytes = Buffer.from(text);
  let place = USAGE_START;
  const sums = new Map<string, ModelUsage>();
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    const reading = readUsage(format, bytes.subarray(place.offset, cut).toString(), place);
    ({ place } = reading);
    for (const { model, ...usage } of reading.added) {
      const sum = sums.get(model) ?? { model, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
      sums.set(model, {
        model,
        input: sum.input + usage.input,
        output: sum.output + usage.output,
        cacheRead: sum.cacheRead + usage.cacheRead,
        cacheWrite: sum.cacheWrite + usage.cacheWrite,
      });
    }
  }
  expect(place.offset).toBe(bytes.length);
  return [...sums.values()];
}

describe("usage in programs' records", () => {
  it("given Claude's lines, where one message has several with the usage of all of it, then it counts once", () => {
    const text = lines(
      { type: "user", message: { content: "hi" } },
      claude("m1", 1),
      claude("m1", 7),
      claude("m1", 7),
      claude("m2", 3, "claude-haiku"),
    );
    expect(readUsage("Claude", text, USAGE_START).added).toEqual([
      { model: "claude-opus-4-5", input: 10, output: 7, cacheRead: 1_000, cacheWrite: 5 },
      { model: "claude-haiku", input: 10, output: 3, cacheRead: 1_000, cacheWrite: 5 },
    ]);
  });

  it("given Codex's sums, then what was added since is counted under the turn's model", () => {
    const turn = { type: "turn_context", payload: { model: "gpt-5-codex" } };
    const first = readUsage("Codex", lines(turn, codex(100, 10)), USAGE_START);
    const second = readUsage("Codex", lines(codex(100, 10), codex(300, 25)), first.place);
    expect([first.added, second.added]).toEqual([
      [{ model: "gpt-5-codex", input: 50, output: 10, cacheRead: 50, cacheWrite: 0 }],
      [{ model: "gpt-5-codex", input: 100, output: 15, cacheRead: 100, cacheWrite: 0 }],
    ]);
  });

  it("given Gemini's file, as one object or as lines, when it is written anew, then only what is new counts", () => {
    const message = (id: string, output: number): unknown => ({
      id,
      type: "gemini",
      model: "gemini-3-pro",
      tokens: { input: 100, output, cached: 40, thoughts: 2, tool: 0, total: 0 },
    });
    const first = readUsage("Gemini", JSON.stringify({ messages: [message("a", 5)] }), USAGE_START);
    const asLines = lines({ sessionId: "x" }, message("a", 5), message("b", 1));
    const second = readUsage("Gemini", asLines, first.place);
    expect([first.added, second.added]).toEqual([
      [{ model: "gemini-3-pro", input: 60, output: 7, cacheRead: 40, cacheWrite: 0 }],
      [{ model: "gemini-3-pro", input: 60, output: 3, cacheRead: 40, cacheWrite: 0 }],
    ]);
  });

  it("given lines that are no records, or half of one, then they are passed over or left for the next time", () => {
    const half = JSON.stringify(claude("m1", 7)).slice(0, 40);
    const reading = readUsage("Claude", `usage nonsense\n{"usage": 3}\nnull usage\n${half}`, USAGE_START);
    expect([reading.added, reading.place.offset]).toEqual([[], 39]);
  });

  it("given any places at which the file is looked at meanwhile, then all looks together count the same", () => {
    const records = {
      Claude: lines(claude("m1", 1), claude("m1", 7), { note: "größer" }, claude("m2", 3), claude("m3", 9)),
      Codex: lines(codex(100, 10), codex(300, 25), { note: "größer" }, codex(310, 30)),
    };
    for (const format of ["Claude", "Codex"] as const) {
      const text = records[format];
      const whole = inParts(format, text, []);
      expect(whole[0]?.output).toBeGreaterThan(0);
      fc.assert(
        fc.property(fc.array(fc.nat(Buffer.byteLength(text)), { maxLength: 6 }), (cuts) => {
          expect(inParts(format, text, cuts)).toEqual(whole);
        }),
      );
    }
  });
});
