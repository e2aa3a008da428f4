import type { CommandSpec, FlagSpec } from "./context.ts";

/**
 * Rewrites the spellings that kubectl's users type and commander does not take: `-o=json`, `--wait=false`,
 * `--watch=true`, and `--dry-run` in front of something else. Everything after `--` stays as it is.
 */
export function normalisedArguments(argv: readonly string[], commands: readonly CommandSpec[]): readonly string[] {
  const booleans = new Map<string, FlagSpec>(
    commands.flatMap((spec) =>
      spec.flags.filter((flag) => flag.type === "boolean").map((flag) => [flag.name, flag] as const),
    ),
  );
  const optional = new Set(
    commands.flatMap((spec) => spec.flags.filter((flag) => flag.type === "optional").map((flag) => `--${flag.name}`)),
  );
  const stop = argv.indexOf("--");
  const own = stop === -1 ? argv : argv.slice(0, stop);
  const rest = stop === -1 ? [] : argv.slice(stop);
  // A flag that may stand alone takes its value behind = only, so the next word is never eaten.
  const read = (argument: string): string[] =>
    optional.has(argument) ? [`${argument}=${ALONE}`] : normalised(argument, booleans);
  return [...own.flatMap(read), ...rest];
}

/** Value of an optional flag without one. */
const ALONE = "server";

function normalised(argument: string, booleans: ReadonlyMap<string, FlagSpec>): string[] {
  const short = /^-([A-Za-z])=(.*)$/s.exec(argument);
  if (short !== null) return [`-${short[1]}`, short[2] ?? ""];
  const long = /^--([a-z-]+)=(true|false)$/.exec(argument);
  const flag = booleans.get(long?.[1] ?? "");
  if (long === null || flag === undefined) return [argument];
  if (long[2] === "true") return [`--${flag.name}`];
  return flag.default === true ? [`--no-${flag.name}`] : [];
}
