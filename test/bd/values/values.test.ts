import { describe, expect, test } from "vitest";
import { metadataOfText, metadataPairs } from "../../../src/bd/values/metadata.ts";
import { priorityOf } from "../../../src/bd/values/priority.ts";
import { durationOf, timeOfText } from "../../../src/bd/values/time.ts";
import { splitWords } from "../../../src/bd/grammar/split-words.ts";
import { fc } from "../../property.ts";

// A Sunday.
const now = Date.parse("2026-11-22T18:30:00Z");

describe("times", () => {
  test.each([
    ["+6h", "2026-11-23T00:30:00.000Z"],
    ["+1d", "2026-11-23T18:30:00.000Z"],
    ["-2d", "2026-11-20T18:30:00.000Z"],
    ["+2w", "2026-12-06T18:30:00.000Z"],
    ["+1mo", "2026-12-22T18:30:00.000Z"],
    ["in 3 days", "2026-11-25T18:30:00.000Z"],
    ["today", "2026-11-22T00:00:00.000Z"],
    ["tomorrow", "2026-11-23T00:00:00.000Z"],
    ["monday", "2026-11-23T00:00:00.000Z"],
    ["next monday", "2026-11-23T00:00:00.000Z"],
    ["sunday", "2026-11-29T00:00:00.000Z"],
    ["2026-01-15", "2026-01-15T00:00:00.000Z"],
    ["2026-01-15T10:00:00+02:00", "2026-01-15T08:00:00.000Z"],
  ])("given %s, when read, then it is %s", (text, expected) => {
    expect(timeOfText(text, now)).toBe(expected);
  });

  test.each(["", "soon", "6h", "2026-13-45", "+6x", "12"])("given %j, when read, then it is refused", (text) => {
    expect(() => timeOfText(text, now)).toThrow(/invalid time/);
  });

  test.each([
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["2w", 14 * 86_400_000],
  ])("given %s, when read as a duration, then it is %d ms", (text, expected) => {
    expect(durationOf(text)).toBe(expected);
  });

  test.each(["", "5", "h", "1h ago", "1.5h"])("given %j, when read as a duration, then it is refused", (text) => {
    expect(() => durationOf(text)).toThrow(/invalid duration/);
  });
});

describe("priorities", () => {
  test.each([
    ["0", 0],
    ["P4", 4],
    ["p2", 2],
  ])("given %s, when read, then it is %d", (text, expected) => expect(priorityOf(text)).toBe(expected));
  test.each(["5", "-1", "high", "", "1.0"])("given %j, when read, then it is refused", (text) => {
    expect(() => priorityOf(text)).toThrow(/^invalid priority/);
  });
});

describe("metadata", () => {
  test("given pairs, when read, then JSON values are values and everything else is text", () => {
    expect(metadataPairs(["n=5", "v=1.0", "id=007", "b=true", 'o={"a":1}', "t=x=y", "e=", "z=null", "bad={x"])).toEqual(
      {
        n: 5,
        v: "1.0",
        id: "007",
        b: true,
        o: { a: 1 },
        t: "x=y",
        e: "",
        z: "null",
        bad: "{x",
      },
    );
  });
  test.each(["novalue", "=x"])("given %j, when read as a pair, then it is refused", (text) => {
    expect(() => metadataPairs([text])).toThrow(/invalid metadata/);
  });
  test.each(["[1]", "5", "{x"])("given %j, when read as JSON, then it is refused", (text) => {
    expect(() => metadataOfText(text)).toThrow(/invalid metadata/);
  });
});

describe("words of a line", () => {
  test("given quotes and escapes, when split, then quoted blanks stay", () => {
    expect(splitWords('create bug 1 "a \\"b\\" \\\\ c" ""')).toEqual(["create", "bug", "1", 'a "b" \\ c', ""]);
  });
  test("given an open quote, when split, then it is refused", () => {
    expect(() => splitWords('close "x')).toThrow(/does not end/);
  });
  test("given any words, when quoted and split, then they come back", () => {
    fc.assert(
      fc.property(fc.array(fc.string().filter((word) => !word.includes("\n"))), (words) => {
        const line = words.map((word) => `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(" ");
        expect(splitWords(line)).toEqual(words);
      }),
    );
  });
});
