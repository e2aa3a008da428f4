import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { aboutBd } from "../../src/bd/run-bd.ts";
import { KINDS } from "../../src/kinds/index.ts";
import { FakeTown } from "../cli/fake-town.ts";
import { runTown } from "../cli/run-town.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Its `town` is one of its own. */
const STAND_IN = "src/work/conformance.ts";
/** Whose texts agents read: what they are told, and what they are refused with. */
const SOURCES = [
  ...["manifests/builtin/roles/", "formulas/", "src/verbs/", "src/work/", "src/kinds/agent/"].flatMap((directory) =>
    readdirSync(`${ROOT}${directory}`)
      .filter((name) => /\.(?:ts|yaml|toml)$/.test(name))
      .map((name) => `${directory}${name}`),
  ),
  "src/domain/agent-program/town-prompts.ts",
].filter((source) => source !== STAND_IN);

interface Command {
  readonly source: string;
  readonly line: string;
}

/** Comments are for people who read the code. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(?:\/\*\*.*\*\/|\/?\*.*|\/\/.*|#.*)$/gm, "");
}

/** Something in place of what code fills in. */
function withFillings(text: string): string {
  return text
    .replaceAll("${options.outcome}", "Failed")
    .replaceAll("${verb}", "prime")
    .replace(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "x1");
}

/** Command lines in backquotes, after a colon or an opening parenthesis, or that make up a whole hint. */
function commandsIn(source: string): readonly Command[] {
  const text = withFillings(withoutComments(readFileSync(`${ROOT}${source}`, "utf8"))).replace(
    /\n\s+(?=[A-Z"-])/g,
    " ",
  );
  const quoted = text.matchAll(/`((?:town|bd) [a-z][^`]*)`/g);
  const plain = text.matchAll(/(?:: |\(|hint: ["'`]|; or |, or |- )((?:town|bd) [a-z][^`\n]*)/g);
  return [...quoted, ...plain]
    .map((match) => ({ source, line: (match[1] ?? "").replace(GOES_ON, "").trim() }))
    .filter(({ line }) => line !== "town bd" && line !== "town x1");
}

/** What follows a command in its sentence, or ends its string. */
const GOES_ON =
  /(?:;| \(|\)|\. |: | or | then\b| says?\b| lists?\b| shows\b| is | keeps | < | and (?!-)|, (?=[a-z])|\\$|["'`]?,$|["'`] ?[:;)}\]]|` ).*/s;

/** A line with something in place of what the reader fills in. */
function filledIn(line: string): readonly string[] {
  const filled = line
    .replace(/\\(["'`])/g, "$1")
    .replace(/"…"?|"[^"]*"|'[^']*'/g, "words")
    .replace(/…/g, "")
    .replace(/["'`]+$/, "")
    .replace(/\b([A-Z]{2,})(?:\|[A-Z]+)*\b/g, "x1");
  return filled.split(/\s+/).filter((word) => word !== "");
}

/** The names by which kinds are asked for; the made-up town serves few of them. */
const TYPES = new Set(
  KINDS.flatMap(({ kind, plural, shortNames }) => [kind.toLowerCase(), plural, ...(shortNames ?? [])]),
);

/** What its parser has against a line; undefined: nothing. */
async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const [program, ...rest] = words;
  const isBd = program === "bd" || rest[0] === "bd" || rest[0] === "bead";
  if (isBd) {
    const about = aboutBd(program === "bd" ? rest : rest.slice(1), { version: "1", env: {}, columns: 80 });
    return about === undefined || about.exitCode === 0 ? undefined : about.stderr;
  }
  const { code, err } = await runTown(new FakeTown(), rest);
  const type = /have a resource type "(.*)"/.exec(err)?.[1];
  if (type !== undefined) return TYPES.has(type) ? undefined : err;
  // A command that is only named has no arguments.
  return code !== 2 || (rest.length < 3 && /needs [A-Z]+$/m.test(err)) ? undefined : err;
}

const COMMANDS: readonly Command[] = SOURCES.flatMap(commandsIn);

describe("the commands that agents are told", () => {
  it("given all texts, when looked through, then there are commands to look at", () => {
    expect(COMMANDS.length).toBeGreaterThan(150);
    expect(new Set(COMMANDS.map(({ line }) => line.split(/\s+/).slice(0, 2).join(" "))).size).toBeGreaterThan(20);
  });

  it.each(SOURCES)("given the texts of %s, when their commands are parsed, then each is one", async (source) => {
    const problems = [];
    for (const { line } of COMMANDS.filter((command) => command.source === source)) {
      const problem = await problemOf(filledIn(line));
      if (problem !== undefined) problems.push(`${line} -> ${filledIn(line).join(" ")}: ${problem.trim()}`);
    }
    expect(problems).toEqual([]);
  });

  it("given a command that is none, when parsed, then that is noticed", async () => {
    for (const line of ["town frobnicate", "town done --outcom Failed", "bd frobnicate x", "bd show --nothing"])
      expect(await problemOf(filledIn(line)), line).toBeDefined();
  });
});
