import type { CommandContext, Programs } from "../../src/cli/context.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { FakeTown } from "./fake-town.ts";
import { TextStreams } from "./text-streams.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** 2026-01-02T00:00:00Z, the time of every test. */
export const NOW_MS = Date.UTC(2026, 0, 2);

/** Runs one command line in this process against a fake town: the text is split at spaces, an array is taken as it is. */
export async function runTown(
  town: FakeTown,
  line: string | readonly string[],
  overrides: Partial<CommandContext> & { readonly stdin?: string } = {},
  toldTown: (townOption: string | undefined) => void = () => {},
): Promise<Outcome> {
  const argv = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  let now = NOW_MS;
  const refused: Programs = {
    run: () => Promise.reject(new Error("no program expected")),
    output: () => Promise.reject(new Error("no program expected")),
    startDetached: () => {
      throw new Error("no program expected");
    },
  };
  const { stdin, ...context } = overrides;
  const streams = new TextStreams(stdin);
  const code = await runProgram(
    argv,
    {
      streams,
      programs: refused,
      env: {},
      cwd: "/nowhere",
      distDirectory: "/nowhere/dist",
      signal: new AbortController().signal,
      now: () => now,
      sleep: (ms) => {
        now += ms;
        return Promise.resolve();
      },
      ...context,
    },
    (townOption) => () => {
      toldTown(townOption);
      return town.api;
    },
  );
  return { code, out: streams.stdout, err: streams.stderr };
}
