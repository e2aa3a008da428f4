import { describe, expect, test } from "vitest";
import { commands } from "../../../src/bd/commands/command-list.ts";
import { chooseCommand, nameAndAliases } from "../../../src/bd/grammar/choose-command.ts";
import { longNames } from "../../../src/bd/grammar/flags.ts";
import { globalFlags, placeFlags } from "../../../src/bd/grammar/global-flags.ts";
import { changesStore } from "../../../src/bd/run-bd.ts";

const chosen = (...argv: readonly string[]) => chooseCommand(commands, argv);

describe("choosing a command", () => {
  test.each([
    { argv: ["list"], name: "list", rest: [] },
    { argv: ["ls", "-n", "3"], name: "list", rest: ["-n", "3"] },
    { argv: ["--json", "-C", "/x", "list", "--all"], name: "list", rest: ["--json", "-C", "/x", "--all"] },
    { argv: ["dep", "add", "a", "b"], name: "dep add", rest: ["a", "b"] },
    { argv: ["dep", "--json", "add", "a", "b"], name: "dep add", rest: ["--json", "a", "b"] },
    { argv: ["dep", "a", "--blocks", "b"], name: "dep", rest: ["a", "--blocks", "b"] },
    { argv: ["comments", "add", "a", "text"], name: "comment", rest: ["a", "text"] },
    { argv: ["comments", "a"], name: "comments", rest: ["a"] },
    { argv: ["done", "a"], name: "close", rest: ["a"] },
    { argv: ["label", "list-all"], name: "label list-all", rest: [] },
    { argv: ["label", "-h"], name: "help", rest: ["label"] },
    { argv: ["gate", "--json", "--help"], name: "help", rest: ["gate"] },
    { argv: ["config", "help"], name: "help", rest: ["config"] },
  ])("given $argv, when chosen, then it is $name", ({ argv, name, rest }) => {
    const found = chosen(...argv);
    expect([found?.command.name, found?.rest]).toEqual([name, rest]);
  });

  test("given no command, when chosen, then there is none", () => {
    expect(chosen("--json")).toBeUndefined();
  });

  test.each([
    { argv: ["lst"], message: 'unknown command "lst" for "bd"', hint: "did you mean list?" },
    { argv: ["creat", "x"], message: 'unknown command "creat" for "bd"', hint: "did you mean create?" },
    { argv: ["label"], message: "bd label needs one of: add, remove, propagate, list, list-all" },
    { argv: ["label", "ad", "x"], message: 'unknown command "ad" for "bd label"', hint: "did you mean add?" },
  ])("given $argv, when chosen, then it says $message", ({ argv, message, hint }) => {
    expect(() => chosen(...argv)).toThrow(
      expect.objectContaining({ message, ...(hint === undefined ? {} : { hint }) }),
    );
  });
});

describe("the table of commands", () => {
  test("given all commands, when their names are compared, then none is used twice", () => {
    const names = commands.flatMap(nameAndAliases);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test.each(
    commands.map((command) => [command.name, command] as const),
  )("given %s, when its flags are compared with each other and the global ones, then no name is used twice", (_name, {
    flags = [],
  }) => {
    const all = [...flags, ...globalFlags];
    const longs = longNames(all);
    const shorts = all.map(({ short }) => short).filter((short) => short !== undefined);
    expect(longs.filter((name, i) => longs.indexOf(name) !== i)).toEqual([]);
    expect(shorts.filter((name, i) => shorts.indexOf(name) !== i)).toEqual([]);
  });
});

describe("what a line does", () => {
  test.each([
    { argv: ["list"], writes: false },
    { argv: ["create", "x"], writes: true },
    { argv: ["ready"], writes: false },
    { argv: ["ready", "--claim"], writes: true },
    { argv: ["create", "--help"], writes: false },
    { argv: ["export"], writes: false },
    { argv: ["export", "-o", "x"], writes: true },
    { argv: ["nonsense"], writes: false },
    { argv: ["update", "--nonsense"], writes: false },
    { argv: [], writes: false },
  ])("given $argv, when asked, then writes is $writes", ({ argv, writes }) => {
    expect(changesStore(argv)).toBe(writes);
  });

  test.each([
    { argv: ["-C", "/a", "list"], place: { directory: "/a" } },
    { argv: ["list", "--directory=/a", "--rig", "web"], place: { directory: "/a", rig: "web" } },
    { argv: ["list", "-C/a"], place: { directory: "/a" } },
    { argv: ["comment", "x", "--", "--rig", "y"], place: {} },
  ])("given $argv, when its place is read, then it is $place", ({ argv, place }) => {
    expect(placeFlags(argv)).toEqual(place);
  });
});
