import { describe, expect, it } from "vitest";
import { hotCommands, readHot } from "../../../src/cli/hot/hot-command.ts";
import { sampleTown } from "../sample-town.ts";
import { runTown } from "../run-town.ts";
import { TextStreams } from "../text-streams.ts";
import type { FakeTown } from "../fake-town.ts";
import { fc, fuzzRuns } from "../../property.ts";

function townWithVerbs(): FakeTown {
  const town = sampleTown();
  for (const { name } of hotCommands) town.verbs.set(name, (args) => ({ body: { text: JSON.stringify(args) } }));
  return town;
}

/** What the hot command does with a line, in place of the full program. */
async function runHot(
  argv: readonly string[],
): Promise<
  { readonly out: string; readonly err: string; readonly code: number; readonly asked: readonly string[] } | undefined
> {
  const hot = readHot(argv);
  if (hot === undefined) return undefined;
  const town = townWithVerbs();
  const streams = new TextStreams("{}");
  const { errorText } = await import("../../../src/cli/error-text.ts");
  const { exitCodeOf } = await import("../../../src/cli/exit-codes.ts");
  let code: number;
  try {
    code = await hot.spec.run(hot.input, {
      streams,
      programs: {
        run: () => Promise.resolve(0),
        output: () => Promise.reject(new Error()),
        startDetached: () => ({ pid: 0, exitCode: () => 0 }),
      },
      env: {},
      cwd: "/nowhere",
      distDirectory: "/nowhere/dist",
      townOption: undefined,
      signal: new AbortController().signal,
      now: () => 0,
      sleep: () => Promise.resolve(),
      api: () => town.api,
    });
  } catch (error) {
    streams.err(errorText(error));
    code = exitCodeOf(error);
  }
  return { out: streams.stdout, err: streams.stderr, code, asked: town.asked };
}

const word = fc.constantFrom(
  "get",
  "prime",
  "hook",
  "mail",
  "inbox",
  "nudge",
  "drain",
  "pools",
  "pool",
  "crew",
  "agents",
  "toast",
  "rigs,pools",
  "pool/crew",
  "beads",
  "nonsense",
  "-n",
  "api",
  "-nweb",
  "-A",
  "-o",
  "json",
  "-ojson",
  "-o=name",
  "--output=yaml",
  "-l",
  "team=core",
  "--no-headers",
  "--show-labels",
  "-L",
  "team",
  "--hook",
  "--full",
  "--unread",
  "--agent",
  "--rig",
  "--nope",
  "-x",
  "--",
  "-",
  "",
  "--help",
  "-An",
  "--watch=false",
  "--wide",
);

describe("the hot parser", () => {
  it("given any line that it takes, when run by both, then the full program asks and prints the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(["get"], ["prime"], ["hook"], ["mail", "inbox"], ["nudge", "drain"]),
        fc.array(word, { maxLength: 5 }),
        async (start, rest) => {
          const argv = [...start, ...rest];
          const hot = await runHot(argv);
          if (hot === undefined) return;
          const town = townWithVerbs();
          const full = await runTown(town, argv, { stdin: "{}" });
          expect({ ...full, asked: town.asked }).toEqual(hot);
        },
      ),
      { numRuns: fuzzRuns(400) },
    );
  });

  it("given plain lines, when read, then they are taken", () => {
    for (const line of [
      "get pools",
      "get pool crew -n api -o wide",
      "get agents -A --no-headers",
      "get beads -l a=b -ojson",
      "prime",
      "prime --hook",
      "hook toast",
      "mail inbox --unread",
      "nudge drain --hook",
    ]) {
      expect(readHot(line.split(" ")), line).toBeDefined();
    }
  });

  it("given anything unusual, when read, then it is left to the full program", () => {
    for (const line of [
      "get pools --help",
      "get pools -w",
      "get pools --watch-only",
      "get pools --nope",
      "get pools -n",
      "get pools -wn api",
      "-C dir get pools",
      "help",
      "",
      "mail send x",
      "nudge toast hello",
      "prime extra",
      "get pools --no-headers=false",
      "hook -h",
    ]) {
      expect(readHot(line.split(" ")), line).toBeUndefined();
    }
  });
});
