import { textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { usageError } from "../exit-codes.ts";
import { runOffline } from "../offline.ts";

export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [directory, surplus] = input.args;
  if (surplus !== undefined) throw usageError("`town init` takes one directory", "`town init DIR --rig PATH|URL`");
  const named = {
    directory,
    rig: textFlag(input, "rig"),
    name: textFlag(input, "name"),
    gate: textFlag(input, "gate"),
    provider: textFlag(input, "provider"),
  };
  return await runOffline(
    "init",
    Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
    context,
  );
}
