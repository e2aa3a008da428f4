import { join } from "node:path";
import { isSet, textFlag, type CommandContext, type CommandInput } from "../context.ts";

/** The demo is a program of its own, which drives this command line. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [runtime, killEvery] = [textFlag(input, "runtime"), textFlag(input, "killEvery")];
  const flags = [
    ...(runtime === undefined ? [] : ["--runtime", runtime]),
    ...(killEvery === undefined ? [] : ["--kill-every", killEvery]),
    ...(isSet(input, "keep") ? ["--keep"] : []),
  ];
  return await context.programs.run([process.execPath, join(context.distDirectory, "demo.js"), ...flags], {
    cwd: context.cwd,
    forwardSignals: true,
  });
}
