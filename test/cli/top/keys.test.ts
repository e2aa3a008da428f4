import { describe, expect, it } from "vitest";
import { decodeKeys, type Key } from "../../../src/cli/top/keys.ts";
import { fc } from "../../property.ts";

const names = (text: string, isAll = false): readonly string[] =>
  decodeKeys(text, isAll).keys.map((key) => ("text" in key ? `${key.name}:${key.text}` : key.name));

describe("decodeKeys", () => {
  it.each([
    ["\u001b[A\u001bOB", ["up", "down"]],
    ["\u001b[5~\u001b[6~\u001b[H\u001b[4~", ["pageUp", "pageDown", "home", "end"]],
    ["\t\u001b[Z\r\u007f", ["tab", "backTab", "enter", "backspace"]],
    ["\u0003\u001a\u000c", ["interrupt", "stop", "redraw"]],
    ["jé界👍", ["character:j", "character:é", "character:界", "character:👍"]],
    ["\u001b[15~\u001b[1;5Cq", ["character:q"]],
    ["\u001b[200~two\nlines\u001b[201~x", ["paste:two\nlines", "character:x"]],
    ["\u0001\u0002", []],
  ])("given %j, then the keys are %j", (text, keys) => expect(names(text)).toEqual(keys));

  it("given the beginning of a sequence, then it waits for the rest, and a lone ESC is the escape key when none comes", () => {
    expect(decodeKeys("a\u001b")).toEqual({ keys: [{ name: "character", text: "a" }], rest: "\u001b" });
    expect(decodeKeys("\u001b[")).toEqual({ keys: [], rest: "\u001b[" });
    expect(names("\u001b", true)).toEqual(["escape"]);
    expect(names("\u001b[", true)).toEqual(["escape", "character:["]);
    expect(decodeKeys("\u001b[200~half").rest).toBe("\u001b[200~half");
  });

  it("given any text in any pieces, then the keys are those of the whole, and nothing hangs", () => {
    const piece = fc.constantFrom("a", "\u001b", "[", "A", "O", "\t", "界", "5~", "\u001b[200~", "\u001b[201~");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const keys: Key[] = [];
        let rest = "";
        for (const each of pieces) {
          const decoded = decodeKeys(rest + each);
          keys.push(...decoded.keys);
          rest = decoded.rest;
        }
        keys.push(...decodeKeys(rest, true).keys);
        const whole = decodeKeys(pieces.join(""));
        expect(keys).toEqual([...whole.keys, ...decodeKeys(whole.rest, true).keys]);
      }),
    );
  });
});
