import type { CommandSpec, FlagSpec } from "./context.ts";

/**
 * Rewrites the spellings that kubectl's users type and commander does not take: `-o=json`, `--wait=false`,
 * `--watch=true`, and `--dry-run` in front of something else. Everything after `--` stays as it is.
 */
export function normalisedArguments(argv: readonly string[], commands: readonly CommandSpec[]): readonly string[] {
  const flags = new Map((specOf(argv, commands)?.flags ?? []).map((flag) => [flag.name, flag]));
  const stop = argv.indexOf("--");
  const own = stop === -1 ? argv : argv.slice(0, stop);
  return [...own.flatMap((argument) => normalised(argument, flags)), ...argv.slice(own.length)];
}

/** The command that a line starts with: `mail send` rather than `mail`. */
function specOf(argv: readonly string[], commands: readonly CommandSpec[]): CommandSpec | undefined {
  const starts = commands.filter(({ name }) => name.split(" ").every((word, index) => argv[index] === word));
  return starts.sort((a, b) => b.name.length - a.name.length)[0];
}

/** Value of an optional flag without one. */
const ALONE = "server";

function normalised(argument: string, flags: ReadonlyMap<string, FlagSpec>): string[] {
  const short = /^-([A-Za-z])=(.*)$/s.exec(argument);
  if (short !== null) return [`-${short[1]}`, short[2] ?? ""];
  const [, name = "", value] = /^--([a-z-]+)(?:=(true|false))?$/.exec(argument) ?? [];
  const flag = flags.get(name);
  // A flag that may stand alone takes its value behind = only, so the next word is never eaten.
  if (flag?.type === "optional" && value === undefined) return [`--${name}=${ALONE}`];
  if (flag?.type !== "boolean" || value === undefined) return [argument];
  if (value === "true") return [`--${name}`];
  return flag.default === true ? [`--no-${name}`] : [];
}
