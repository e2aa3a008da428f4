import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { runOffline } from "../offline.ts";

export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const name = textFlag(input, "name");
  const [directory] = input.args;
  return await runOffline(
    "init",
    {
      ...(directory === undefined ? {} : { directory }),
      ...(name === undefined ? {} : { name }),
      force: isSet(input, "force"),
    },
    context,
  );
}
