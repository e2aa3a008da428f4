import { describe, expect, test } from "vitest";
import { commands } from "../../src/bd/commands/command-list.ts";
import { nameAndAliases } from "../../src/bd/grammar/choose-command.ts";
import { globalFlags } from "../../src/bd/grammar/global-flags.ts";
import { bdWorld } from "./bd-world.ts";
import { fc, fuzzRuns } from "../property.ts";

const value = fc.constantFrom(
  "api-a00002",
  "api-a00003",
  "a00002",
  "nope",
  "",
  "-",
  "0",
  "1",
  "9",
  "x=y",
  "open",
  "bug",
  "+1d",
  "town/work",
  "{}",
  "file.md",
  "down",
  "é\u001b[2J",
  "--",
);

/** A command with flags it knows, values that may make sense, and arguments. */
const line = fc.constantFrom(...commands).chain((command) => {
  const flags = [...(command.flags ?? []), ...globalFlags];
  const flag = fc
    .tuple(fc.constantFrom(...flags), value)
    .map(([{ name, type }, text]) => (type === "switch" ? [`--${name}`] : [`--${name}`, text]));
  return fc
    .tuple(
      fc.constantFrom(...nameAndAliases(command)),
      fc.array(
        fc.oneof(
          flag,
          value.map((text) => [text]),
        ),
        { maxLength: 5 },
      ),
    )
    .map(([name, rest]) => [...name.split(" "), ...rest.flat()]);
});

describe("any command line", () => {
  test("given any command with any flags and values, when run, then it ends with 0 or 1, an error says why, and JSON is JSON", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 6 }), async (argvs) => {
        const bd = await bdWorld();
        const a = await bd.make("first", "-d", "text");
        await bd.make("second", "--deps", a, "-t", "epic");
        await bd.files.writeAtomic("/home/alice/file.md", "## From a file\n");
        for (const argv of argvs) {
          const { stdout, stderr, exitCode } = await bd.run(argv, { stdin: "" });
          expect([0, 1]).toContain(exitCode);
          expect(stderr).not.toMatch(/"code":"Internal"|TypeError|undefined is not|Cannot read prop/);
          const isData = argv.includes("--json") && !argv.includes("--help") && argv[0] !== "export";
          if (exitCode === 0 && isData && stdout !== "" && !argv.includes("--"))
            expect(() => JSON.parse(stdout) as unknown).not.toThrow();
          // What lint and doctor find is no error of theirs, so --quiet leaves the exit code alone.
          const isQuiet = argv.includes("--quiet") && ["lint", "doctor"].includes(argv[0] ?? "");
          if (exitCode === 1 && stdout === "" && !isQuiet) expect(stderr).toMatch(/Error|Warning|"error":/);
        }
      }),
      { numRuns: fuzzRuns(200) },
    );
  });
});
