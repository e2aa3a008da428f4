import { describe, expect, test } from "vitest";
import {
  ControlParser,
  formatLiteral,
  timeFormatLiteral,
  tmuxWord,
} from "../../../src/adapters/tmux/control-protocol.ts";
import { fc } from "../../property.ts";

const read = (chunks: readonly string[]) => {
  const parser = new ControlParser();
  return chunks.flatMap((chunk) => parser.feed(chunk));
};

describe("ControlParser", () => {
  test("given blocks and notices, when read, then each comes with its lines", () => {
    expect(
      read([
        "%session-changed $0 a\n%begin 17 5 1\none\n\ntwo\n%end 17 5 1\n%begin 17 6 1\nno such\n%error 17 6 1\n%exit\n",
      ]),
    ).toEqual([
      { kind: "Notice", text: "%session-changed $0 a" },
      { kind: "Block", ok: true, lines: ["one", "", "two"] },
      { kind: "Block", ok: false, lines: ["no such"] },
      { kind: "Notice", text: "%exit" },
    ]);
  });

  test("given text that looks like a guard, when read, then only the right numbers end a block", () => {
    expect(read(["%begin 17 5 1\n%end 17 4 1\n%error 17 5 0\n%begin 17 6 1\n %end 17 5 1\n%end 17 5 1\n"])).toEqual([
      { kind: "Block", ok: true, lines: ["%end 17 4 1", "%error 17 5 0", "%begin 17 6 1", " %end 17 5 1"] },
    ]);
  });

  test("given any cut into chunks, when read, then the same items come", () => {
    const text = "%begin 1 2 1\na✳b\n%end 1 2 1\n%sessions-changed\n%begin 1 3 1\n%end 1 3 1\n";
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const at = [0, ...[...cuts].sort((a, b) => a - b), text.length];
        expect(read(at.slice(1).map((end, index) => text.slice(at[index], end)))).toEqual(read([text]));
      }),
    );
  });
});

describe("tmuxWord", () => {
  test.each([
    ["plain-1.2:%=@/x", "plain-1.2:%=@/x"],
    ["", "''"],
    ["a b", "'a b'"],
    ["it's", "'it'\\''s'"],
    ["#{x};$y\\", "'#{x};$y\\'"],
  ])("given %j, when quoted, then it is %j", (text, word) => {
    expect(tmuxWord(text)).toBe(word);
  });

  test.each([
    "a\nb",
    "\u0000",
    "\u001b[2J",
    "\u007f",
  ])("given the control characters of %j, when quoted, then it is refused", (text) => {
    expect(() => tmuxWord(text)).toThrow(RangeError);
  });

  test("given format and time signs, when made literal, then they are doubled", () => {
    expect(formatLiteral("#{a} #H %d")).toBe("##{a} ##H %d");
    expect(timeFormatLiteral("#{a} %d")).toBe("##{a} %%d");
  });
});
