import type { CommandInput, CommandSpec, FlagSpec, FlagValue } from "../context.ts";
import { camelCase } from "../flag-names.ts";

/**
 * Reads the arguments of one command as the full parser would, or answers undefined whenever the line is not plainly
 * right (an unknown flag, a missing value, `--help`, grouped short flags): the full parser then decides and explains.
 */
export function quickParse(spec: CommandSpec, argv: readonly string[]): CommandInput | undefined {
  const args: string[] = [];
  const flags: Record<string, FlagValue> = {};
  for (const flag of spec.flags) if (flag.default !== undefined) flags[camelCase(flag.name)] = flag.default;
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (!argument.startsWith("-") || argument === "-") args.push(argument);
    else if (!takeFlag(spec.flags, argument, rest, flags)) return undefined;
  }
  return spec.positionals === undefined && args.length > 0 ? undefined : { args, flags };
}

/** Reads one flag, with its value from the rest where it needs one; false when that is not plainly possible. */
function takeFlag(
  specs: readonly FlagSpec[],
  argument: string,
  rest: string[],
  flags: Record<string, FlagValue>,
): boolean {
  const { flag, value } = readFlag(specs, argument) ?? {};
  if (flag === undefined) return false;
  const key = camelCase(flag.name);
  if (flag.type === "boolean") {
    flags[key] = true;
    return value === undefined;
  }
  if (value === undefined && rest[0]?.startsWith("-") !== false) return false;
  const parsed = valueOf(flag, value ?? rest.shift() ?? "", flags[key]);
  if (parsed !== undefined) flags[key] = parsed;
  return parsed !== undefined;
}

function readFlag(
  flags: readonly FlagSpec[],
  argument: string,
): { readonly flag: FlagSpec; readonly value?: string } | undefined {
  const match = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(argument) ?? /^-([A-Za-z])(?:=?(.+))?$/s.exec(argument);
  if (match === null) return undefined;
  const [, name = "", value] = match;
  const flag = flags.find((candidate) =>
    argument.startsWith("--") ? candidate.name === name || candidate.alias === name : candidate.short === name,
  );
  if (flag === undefined || flag.type === "optional") return undefined;
  return value === undefined ? { flag } : { flag, value };
}

function valueOf(flag: FlagSpec, text: string, before: FlagValue | undefined): FlagValue | undefined {
  if (flag.choices !== undefined && !flag.choices.includes(text)) return undefined;
  if (flag.type === "list") return [...(Array.isArray(before) ? (before as readonly string[]) : []), text];
  if (flag.type !== "number") return text;
  return text.trim() === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}
