import { beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../src/bd/commands/command-list.ts";
import { nameAndAliases } from "../../src/bd/grammar/choose-command.ts";
import { displayWidth } from "../../src/bd/output/plain-text.ts";
import { bdWorld, type BdWorld } from "./bd-world.ts";

let bd: BdWorld;
const ids: Record<string, string> = {};

/** A store with one of everything that output has a form for. */
beforeAll(async () => {
  bd = await bdWorld("golden");
  const make = async (name: string, title: string, ...flags: readonly string[]): Promise<void> => {
    ids[name] = await bd.make(title, ...flags);
    await bd.pass(60_000);
  };
  const id = (name: string): string => ids[name] ?? "";
  await make(
    "epic",
    "Checkout without an account",
    "-t",
    "epic",
    "-p",
    "1",
    "-d",
    "People leave when they must sign up.",
  );
  await make("model", "Orders without a customer", "--parent", id("epic"), "-p", "1", "-l", "backend,db", "-e", "90");
  await make(
    "api",
    "Guest checkout in the API",
    "--parent",
    id("epic"),
    "--deps",
    id("model"),
    "-t",
    "feature",
    "-l",
    "backend",
  );
  await make(
    "bug",
    "Totals are wrong when a discount is taken off twice and the cart holds more than one currency",
    "-t",
    "bug",
    "-p",
    "0",
    "-a",
    "bob",
    "--due",
    "2026-11-20",
    "--external-ref",
    "gh-77",

    "-d",
    "## Steps to Reproduce\n1. Put two things into the cart\n2. Apply `SAVE10` twice\n\nThe total is negative, and the invoice that goes out by mail says so too, which is worse than the bug itself.",

    "--design",
    "Discounts become a set.",
    "--acceptance",
    "- [ ] one code counts once",
    "--notes",
    "Seen by three customers.",
    "--metadata",
    '{"severity":"high"}',
  );
  await make("found", "Invoices do not name the currency", "--deps", `discovered-from:${id("bug")}`, "-p", "3");
  await bd.run(["update", id("bug"), "--claim"], { actor: "bob" });
  await bd.pass(60_000);
  await bd.run(["comment", id("bug"), "It is the order of the two listeners.\nI have a test."], { actor: "bob" });
  await bd.pass(60_000);
  await make("old", "Old cart is gone", "-p", "4");
  await bd.out("close", id("old"), "-r", "removed in 4f2a");
  await make("later", "Gift cards", "--defer", "2027-01-01", "-p", "4");
  await make("empty", "Loyalty programme", "-t", "epic", "-p", "4");
  await bd.pass(3_600_000);
});

const outputs: readonly (readonly [file: string, argv: () => readonly string[]])[] = [
  ["help", () => ["help"]],
  ["help-create", () => ["help", "create"]],
  ["help-dep", () => ["help", "dep"]],
  ["list", () => ["list"]],
  ["list-all-flat", () => ["list", "--all", "--flat", "--sort", "created"]],
  ["list-brief", () => ["list", "--brief"]],
  ["ready", () => ["ready"]],
  ["ready-explain", () => ["ready", "--explain"]],
  ["blocked", () => ["blocked"]],
  ["show-bug", () => ["show", ids["bug"] ?? ""]],
  ["show-epic", () => ["show", ids["epic"] ?? ""]],
  ["show-short", () => ["show", "--short", ids["old"] ?? "", ids["api"] ?? ""]],
  ["dep-tree", () => ["dep", "tree", ids["api"] ?? "", "--direction", "both"]],
  ["dep-tree-mermaid", () => ["dep", "tree", ids["api"] ?? "", "--format", "mermaid"]],
  ["search", () => ["search", "currency"]],
  ["stats", () => ["stats"]],
  ["count", () => ["count", "--by-type"]],
  ["epic-status", () => ["epic", "status"]],
  ["history", () => ["history", ids["bug"] ?? ""]],
  ["doctor", () => ["doctor"]],
  ["prime", () => ["prime"]],
  ["quickstart", () => ["quickstart"]],
  ["types", () => ["types"]],
  ["statuses", () => ["statuses"]],
  ["label-list-all", () => ["label", "list-all"]],
];

describe("what people read", () => {
  test.each(outputs)("given the shop, when bd prints %s, then it is the golden text", async (file, argv) => {
    await expect((await bd.run(argv())).stdout).toMatchFileSnapshot(`./golden/${file}.txt`);
  });

  test.each([
    ["list"],
    ["ready"],
    ["show"],
    ["history"],
  ])("given a terminal of 80 columns, when bd prints %s, then no line is longer, and NO_COLOR takes the colours out", async (command) => {
    const argv = command === "list" || command === "ready" ? [command] : [command, ids["bug"] ?? ""];
    const terminal = { isTerminal: true, columns: 80 };
    const { stdout } = await bd.run(argv, terminal);
    await expect(stdout.replaceAll("\u001b", "␛")).toMatchFileSnapshot(`./golden/terminal-${command}.txt`);
    expect(Math.max(...stdout.split("\n").map(displayWidth))).toBeLessThanOrEqual(80);
    // oxlint-disable-next-line no-control-regex
    expect(stdout).toMatch(/\u001b\[/);
    const { stdout: plain } = await bd.run(argv, { ...terminal, env: { NO_COLOR: "1" } });
    // oxlint-disable-next-line no-control-regex
    expect(plain).toBe(stdout.replace(/\u001b\[\d+m/g, ""));
  });

  test.each([
    ["help", ["help"]],
    ["help-create", ["create", "-h"]],
  ])("given a terminal of 80 columns, when bd prints its %s, then it is the golden text, wrapped", async (file, argv) => {
    const { stdout } = await bd.run(argv, { isTerminal: true, columns: 80 });
    await expect(stdout).toMatchFileSnapshot(`./golden/terminal-${file}.txt`);
    expect(stdout.split(/\s+/)).toEqual((await bd.out(...argv)).concat("\n").split(/\s+/));
  });

  test.each([
    [[]],
    [["--help"]],
    [["quickstart"]],
    [["prime"]],
    [["statuses"]],
    [["config", "list"]],
    [["create", "x", "-t", "nonsense"]],
    [["query", "nonsense=1"]],
    [["create", "So long a title that what is said of it does not fit into one line of a terminal", "--dry-run"]],
    [["create", "東京のチームが使う長い題名は空白なしで書かれるので行の途中で折り返される必要があります", "--dry-run"]],
    ...commands.map(({ name }) => [["help", ...name.split(" ")]]),
  ])("given a terminal of 80 columns, when bd runs %j, then no line of it is longer and nothing is lost", async (argv) => {
    const words = (text: string): string => text.replace(/\s+/g, "");
    const wide = await bd.run(argv);
    const { stdout, stderr } = await bd.run(argv, { isTerminal: true, columns: 80, env: { NO_COLOR: "1" } });
    expect(Math.max(...`${stdout}${stderr}`.split("\n").map(displayWidth))).toBeLessThanOrEqual(80);
    expect([words(stdout), words(stderr)]).toEqual([words(wide.stdout), words(wide.stderr)]);
  });

  test("given no command, when bd is run in a terminal, then what is used every day fits one screen", async () => {
    const { stdout } = await bd.run([], { isTerminal: true, columns: 80 });
    expect(stdout.split("\n").length).toBeLessThanOrEqual(24);
    const named = stdout.split("\n").flatMap((line) => /^ {2}(\S+(?: \S+)?) {2}/.exec(line)?.[1] ?? []);
    expect(named).toHaveLength(13);
    expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
  });

  test("given an empty store, when a person lists it, then the first steps are named, and not to a program", async () => {
    const empty = await bdWorld();
    const terminal = { isTerminal: true, columns: 80 };
    expect((await empty.run(["list"], terminal)).stderr).toContain('town bd create "Title"');
    expect((await empty.run(["ready"], terminal)).stderr).toContain("town bd sync");
    expect((await empty.run(["list"])).stderr).toBe("");
    await empty.make("first");
    expect((await empty.run(["list", "-s", "closed"], terminal)).stderr).toBe("");
  });

  test("given a diagram, when printed to a narrow terminal, then its lines are left whole", async () => {
    const argv = ["dep", "tree", ids["api"] ?? "", "--format", "mermaid"];
    const { stdout } = await bd.run(argv, { isTerminal: true, columns: 40 });
    expect(stdout).toBe((await bd.run(argv)).stdout);
  });

  test("given what agents read at each start, when prime is measured, then it is under 600 tokens", async () => {
    // Four characters a token is the usual estimate for English text.
    expect((await bd.out("prime")).length / 4).toBeLessThan(600);
  });

  test("given escape sequences in a title, comment and label, when printed to a terminal, then none gets through", async () => {
    const evil = await bdWorld();
    const id = await evil.make("a\u001b]0;owned\u0007b\u001b[2Jc", "-d", "x\u001b[31mred\rover", "-l", "l\u001b[1m");
    await evil.run(["comment", id, "say \u001b]52;c;xxx\u0007 it"], { actor: "m\u001b[5m" });
    for (const argv of [
      ["list"],
      ["show", id],
      ["search", "abc"],
      ["ready"],
      ["history", id],
      ["label", "list-all"],
      ["comments", id],
    ]) {
      const { stdout } = await evil.run(argv, { isTerminal: true, env: { NO_COLOR: "1" } });
      // oxlint-disable-next-line no-control-regex
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    }
  });
});

describe("commands in our own words", () => {
  const session = {
    name: "toast@1",
    managesBeads: false,
    createsBeads: true,
    changesBeads: true,
    seesToOthers: false,
    directory: "/sandbox",
  };

  test("given a person, when commands are named, then as `town bd`, since `bd` may be another program to them", async () => {
    expect(await bd.out("prime")).toContain("`town bd ready`");
    expect(await bd.fails("show", "nope")).toContain("  town bd list --all shows what exists");
    expect(await bd.out("help", "list")).toContain("Usage:\n  town bd list [flags]");
  });

  test("given a session, when commands are named, then as `bd`", async () => {
    const { stdout } = await bd.run(["prime"], { session });
    expect(stdout).toContain("`bd ready`");
    expect((await bd.run(["show", "nope"], { session })).stderr).toContain("  bd list --all shows what exists");
  });

  test("given all help there is, then `bd` in a sentence is not taken for a command", async () => {
    const names = new Set(commands.flatMap((command) => nameAndAliases(command).map((name) => name.split(" ")[0])));
    for (const { name } of commands) {
      const text = await bd.out("help", ...name.split(" "));
      for (const [, word = ""] of `${await bd.out("help")}\n${text}`.matchAll(/town bd ([a-z][a-z-]*)/g))
        expect(names, text).toContain(word);
    }
  });

  test("given a title that reads like a command, when printed, then it is left as it is", async () => {
    const other = await bdWorld();
    const id = await other.make("run bd list twice");
    expect(await other.out("list")).toBe(`○ ${id} [P2] - run bd list twice`);
  });
});
