import { resolve } from "node:path";
import { textFlag, type CommandContext, type CommandInput } from "../context.ts";
import { usageError } from "../exit-codes.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";

/** Prints the kubeconfig, or has the daemon write or merge it, which keeps its mode 0600. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [write, merge] = [textFlag(input, "write"), textFlag(input, "merge")];
  if (write !== undefined && merge !== undefined) throw usageError("--write and --merge exclude each other");
  const args = {
    ...(write === undefined ? {} : { output: resolve(context.cwd, write) }),
    ...(merge === undefined ? {} : { merge: resolve(context.cwd, merge) }),
  };
  return printResult(await callVerb(context.api(), "kubeconfig", args), context.streams);
}
