import {
  type CommandContext,
  type CommandGroup,
  type CommandInput,
  type CommandSpec,
  type FlagSpec,
  textFlag,
} from "../context.ts";
import { usageError } from "../exit-codes.ts";
import { camelCase } from "../flag-names.ts";
import { OUTPUT_ANSWER } from "../resources/flags.ts";
import type { VerbResult } from "../../resource/verb.ts";
import { callAgain } from "./call-again.ts";
import { callVerb, giveReceipt, printResult } from "./call-verb.ts";
import { answerHook, HOOK_FLAGS } from "./hook-answer.ts";

/**
 * A command that is one call of a daemon's verb. Its arguments are the flags by camelCase name, the positionals by
 * their own, and what `read` adds.
 */
export interface VerbRow {
  /** Of the command and of the verb: `mail send`. */
  readonly name: string;
  readonly group: CommandGroup;
  readonly summary: string;
  readonly positionals?: readonly Positional[];
  readonly flags?: readonly FlagSpec[];
  readonly examples?: readonly string[];
  /** Keep colours of the answer on a terminal: it is what a program printed. Default false. */
  readonly keepColours?: boolean;
  /** Hooks of agent programs call it: `--hook` hands on their JSON as `hook`, `--reply` says how to answer. */
  readonly isHook?: boolean;
  /**
   * The daemon knows a request that is made again by its `request`: an answer that was lost on the way is asked for again
   * instead of being left to the person.
   */
  readonly repeats?: boolean;
  /** Further arguments, as text from stdin. */
  read?(input: CommandInput, context: CommandContext): Promise<Readonly<Record<string, unknown>>>;
}

export interface Positional {
  readonly name: string;
  /** `one` must be there, `optional` may, `some` is one or more, `any` none or more, `text` the rest joined by spaces. */
  readonly takes: "one" | "optional" | "some" | "any" | "text";
}

/** The command of a row. */
export function verbCommand(row: VerbRow): CommandSpec {
  const positionals = row.positionals ?? [];
  return {
    name: row.name,
    group: row.group,
    summary: row.summary,
    flags: [...(row.isHook === true ? HOOK_FLAGS : []), ...(row.flags ?? []), OUTPUT_ANSWER],
    ...(positionals.length === 0 ? {} : { positionals: positionals.map(usageOf).join(" ") }),
    ...(row.examples === undefined ? {} : { examples: row.examples }),
    servedBy: row.name,
    run: async (input, context) => {
      const args = { ...verbArguments(row, input), ...(await row.read?.(input, context)) };
      const call = (more: Readonly<Record<string, unknown>>): Promise<VerbResult> =>
        row.repeats === true
          ? callAgain(context, row.name, { ...args, ...more })
          : callVerb(context.api(), row.name, { ...args, ...more }, { signal: context.signal });
      if (input.flags["hook"] === true && row.isHook === true)
        return answerHook(input, context, (hook) => call({ hook }));
      const result = await call({});
      const code = printResult(result, context.streams, {
        format: textFlag(input, "output"),
        keepColours: row.keepColours ?? false,
      });
      await giveReceipt(context, result);
      return code;
    },
  };
}

/** Flags and positionals as the verb takes them. Throws usage errors for missing or surplus positionals. */
function verbArguments(row: VerbRow, input: CommandInput): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const flag of row.flags ?? []) {
    const value = input.flags[camelCase(flag.name)];
    if (value !== undefined) values[camelCase(flag.name)] = value;
  }
  const rest = [...input.args];
  for (const positional of row.positionals ?? []) {
    const value = taken(positional, rest);
    if (value === undefined && (positional.takes === "one" || positional.takes === "some")) {
      throw usageError(
        `\`town ${row.name}\` needs ${positional.name.toUpperCase()}`,
        `\`town ${row.name} ${(row.positionals ?? []).map(usageOf).join(" ")}\``,
      );
    }
    if (value !== undefined) values[positional.name] = value;
  }
  if (rest.length > 0)
    throw usageError(
      `\`town ${row.name}\`: unexpected argument "${rest[0]}"`,
      `\`town ${row.name} --help\` shows what it takes`,
    );
  return values;
}

function taken(positional: Positional, rest: string[]): string | readonly string[] | undefined {
  if (rest.length === 0) return undefined;
  if (positional.takes === "one" || positional.takes === "optional") return rest.shift();
  const all = rest.splice(0);
  return positional.takes === "text" ? all.join(" ") : all;
}

function usageOf({ name, takes }: Positional): string {
  const word = name.replace(/[A-Z]/g, (letter) => `-${letter}`).toUpperCase();
  const forms = { one: word, optional: `[${word}]`, some: `${word}...`, any: `[${word}...]`, text: `[${word}...]` };
  return forms[takes];
}
