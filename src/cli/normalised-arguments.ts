import type { CommandSpec, FlagSpec } from "./context.ts";

/**
 * Rewrites the spellings that kubectl's users type and commander does not take: `-o=json`, `--wait=false`,
 * `--watch=true`. Everything after `--` stays as it is.
 */
export function normalisedArguments(argv: readonly string[], commands: readonly CommandSpec[]): readonly string[] {
  const booleans = new Map<string, FlagSpec>(
    commands.flatMap((spec) =>
      spec.flags.filter((flag) => flag.type === "boolean").map((flag) => [flag.name, flag] as const),
    ),
  );
  const stop = argv.indexOf("--");
  const own = stop === -1 ? argv : argv.slice(0, stop);
  const rest = stop === -1 ? [] : argv.slice(stop);
  return [...own.flatMap((argument) => normalised(argument, booleans)), ...rest];
}

function normalised(argument: string, booleans: ReadonlyMap<string, FlagSpec>): string[] {
  const short = /^-([A-Za-z])=(.*)$/s.exec(argument);
  if (short !== null) return [`-${short[1]}`, short[2] ?? ""];
  const long = /^--([a-z-]+)=(true|false)$/.exec(argument);
  const flag = booleans.get(long?.[1] ?? "");
  if (long === null || flag === undefined) return [argument];
  if (long[2] === "true") return [`--${flag.name}`];
  return flag.default === true ? [`--no-${flag.name}`] : [];
}
