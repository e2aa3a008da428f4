import { describe, expect, test } from "vitest";
import type { Flag } from "../../../src/bd/grammar/flag.ts";
import { also, flag, list, number, text, texts } from "../../../src/bd/grammar/flag.ts";
import { parseFlags } from "../../../src/bd/grammar/parse-flags.ts";

const flags: readonly Flag[] = [
  flag("force", "", "f"),
  flag("quiet", "", "q"),
  text("title", "T", ""),
  also(text("description", "D", "", "d"), "body"),
  texts("reason", "R", "", "r"),
  list("labels", "L", "", "l"),
  number("limit", "N", "", "n"),
];

const parse = (...words: readonly string[]) => parseFlags("list", words, flags);

describe("parsing flags", () => {
  test.each([
    { words: ["--title", "x"], because: "a value may follow" },
    { words: ["--title=x"], because: "or stand behind an equals sign" },
  ])("given $words, when parsed, then $because", ({ words }) => {
    expect(parse(...words).flags.text("title")).toBe("x");
  });

  test.each([
    [["-n", "5"]],
    [["-n5"]],
    [["-n=5"]],
    [["-fn5"]],
    [["-fqn", "5"]],
  ])("given %j, when parsed, then the limit is 5", (words) => expect(parse(...words).flags.number("limit")).toBe(5));

  test("given grouped switches, when parsed, then each is set", () => {
    const { flags: given } = parse("-fq");
    expect([given.isSet("force"), given.isSet("quiet")]).toEqual([true, true]);
  });

  test("given arguments between flags, when parsed, then both are found in order", () => {
    const { args, flags: given } = parse("a", "--force", "b", "-d", "text", "c");
    expect(args).toEqual(["a", "b", "c"]);
    expect(given.text("description")).toBe("text");
  });

  test("given words behind --, when parsed, then they are arguments", () => {
    expect(parse("a", "--", "--force", "-x").args).toEqual(["a", "--force", "-x"]);
  });

  test("given a value that looks like a flag, when parsed, then it is the value", () => {
    expect(parse("-d", "--force").flags.text("description")).toBe("--force");
    expect(parse("--title", "-1").flags.text("title")).toBe("-1");
  });

  test("given a lone dash and a negative number, when parsed, then they are arguments", () => {
    expect(parse("-", "-3").args).toEqual(["-", "-3"]);
  });

  test("given another name of a flag, when parsed, then it counts as the flag", () => {
    expect(parse("--body", "x").flags.text("description")).toBe("x");
  });

  test("given a repeated flag, when parsed, then all values are kept and the last one counts", () => {
    const { flags: given } = parse("-r", "a", "--reason=b");
    expect(given.texts("reason")).toEqual(["a", "b"]);
    expect(given.text("reason")).toBe("b");
  });

  test("given a list, when parsed, then items of every value are taken without blanks", () => {
    expect(parse("-l", "a, b", "-l", "c,,").flags.list("labels")).toEqual(["a", "b", "c"]);
  });

  test("given =false, when parsed, then the switch is not set", () => {
    expect(parse("--force=false").flags.isSet("force")).toBe(false);
  });

  test.each([
    { words: ["--titel", "x"], message: "unknown flag: --titel", hint: "did you mean --title?" },
    { words: ["--zzzzzz"], message: "unknown flag: --zzzzzz", hint: "see: bd help list" },
    { words: ["-z"], message: "unknown shorthand flag: 'z' in -z", hint: "see: bd help list" },
    { words: ["--title"], message: "flag needs an argument: --title", hint: "see: bd help list" },
    { words: ["-n", "many"], message: 'invalid argument "many" for "--limit" flag: it must be a whole number' },
    { words: ["--force=yes"], message: 'invalid argument "yes" for "--force" flag: it must be true or false' },
    { words: ["--db", "x.db"], message: "unknown flag: --db", hint: expect.stringContaining("kept in git") },
  ])("given $words, when parsed, then it says $message", ({ words, message, hint }) => {
    expect(() => parse(...words)).toThrow(
      expect.objectContaining({ reason: "Usage", message, ...(hint === undefined ? {} : { hint }) }),
    );
  });
});
