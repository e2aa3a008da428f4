import type { CommandContext, CommandInput } from "../context.ts";
import { usageError } from "../exit-codes.ts";
import { discoverTypes } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { selectionsOf } from "../resources/selection.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";

/** Prints manifests of the objects named; without arguments of everything the town declares. */
export async function runExport(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const selections =
    input.args.length === 0
      ? []
      : selectionsOf(input.args, await discoverTypes(api, input.args), { command: "export" });
  const names = selections.flatMap((selection) => selection.names ?? []);
  if (names.length > 0 && new Set(selections.map(({ type }) => type.kind)).size > 1)
    throw usageError("`town export` takes names of one type at a time", "`town export TYPE NAME...`");
  const { namespace } = scopeOf(input);
  const args: Readonly<Record<string, unknown>> = {
    ...(selections.length === 0 ? {} : { kinds: [...new Set(selections.map(({ type }) => type.kind))] }),
    ...(names.length === 0 ? {} : { names: [...new Set(names)] }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  return printResult(await callVerb(api, "export", args, { signal: context.signal }), context.streams, {
    format: undefined,
  });
}
