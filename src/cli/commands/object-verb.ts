import { ApiStatusError } from "../../errors/town-error.ts";
import { textFlag, type CommandContext, type CommandInput, type FlagSpec } from "../context.ts";
import { usageError } from "../exit-codes.ts";
import { camelCase } from "../flag-names.ts";
import { discoverTypes } from "../resources/discovery.ts";
import { scopeOf } from "../resources/flags.ts";
import { getObject } from "../resources/objects.ts";
import { selectionsOf } from "../resources/selection.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";

/**
 * A verb about one object: its arguments are kind, namespace and name of `TYPE NAME`, plus the flags. An object that is
 * gone can still be asked about (its history, say) when -n says where it was.
 */
export async function runObjectVerb(
  verb: string,
  flags: readonly FlagSpec[],
  input: CommandInput,
  context: CommandContext,
): Promise<number> {
  const api = context.api();
  const selections = selectionsOf(input.args, await discoverTypes(api, input.args), {
    command: verb,
    namesRequired: true,
  });
  const [selection, second] = selections;
  const [name, ...more] = selection?.names ?? [];
  if (selection === undefined || name === undefined || second !== undefined || more.length > 0)
    throw usageError(`\`town ${verb}\` takes one object`, `\`town ${verb} TYPE NAME\``);
  const { type } = selection;
  const scope = scopeOf(input);
  const namespace = type.namespaced ? (scope.namespace ?? (await namespaceOf(type, name, context))) : undefined;
  const args: Record<string, unknown> = { kind: type.kind, name, ...(namespace === undefined ? {} : { namespace }) };
  for (const flag of flags) {
    const value = input.flags[camelCase(flag.name)];
    if (value !== undefined) args[camelCase(flag.name)] = value;
  }
  const result = await callVerb(api, verb, args, { signal: context.signal });
  return printResult(result, context.streams, { format: textFlag(input, "output") });
}

async function namespaceOf(
  type: Parameters<typeof getObject>[1],
  name: string,
  context: CommandContext,
): Promise<string | undefined> {
  try {
    return (await getObject(context.api(), type, { namespace: undefined }, name)).metadata.namespace;
  } catch (error) {
    if (error instanceof ApiStatusError && error.code === 404)
      throw new ApiStatusError(404, "NotFound", error.message, { hint: "if it was deleted, say where it was with -n" });
    throw error;
  }
}
