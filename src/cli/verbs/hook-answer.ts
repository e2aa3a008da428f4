import type { VerbResult } from "../../resource/verb.ts";
import type { CommandContext, CommandInput, FlagSpec } from "../context.ts";
import { errorText } from "../error-text.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { plainText } from "../output/terminal-text.ts";
import { giveReceipt } from "./call-verb.ts";

/** Flags of a command that the hooks of agent programs call. */
export const HOOK_FLAGS: readonly FlagSpec[] = [
  {
    name: "hook",
    type: "boolean",
    summary: "called by the agent program's hook: take its JSON from stdin",
  },
  {
    name: "reply",
    type: "string",
    value: "FORM",
    choices: ["text", "context", "block"],
    summary: "with --hook: as text, as JSON with additional context, or as JSON that keeps the program going",
  },
];

type HookJson = Readonly<Record<string, unknown>>;

/** The JSON that an agent program hands to its hooks on stdin: session id, transcript path, event. */
export async function hookJson(input: CommandInput, context: CommandContext): Promise<HookJson | undefined> {
  if (input.flags["hook"] !== true) return undefined;
  const text = await context.streams.readStdin();
  try {
    return JSON.parse(text === "" ? "{}" : text) as HookJson;
  } catch {
    throw usageError("--hook: stdin is no JSON", "--hook is for the hooks of agent programs; leave it out by hand");
  }
}

/**
 * Answers a program's hook. A failure is told on stderr with exit code 1: programs take 2 as "refuse what was asked", and
 * no trouble of the town may swallow a person's prompt or keep a program from stopping. A program whose turns are run one
 * after the other is not kept from stopping: its next turn is told.
 */
export async function answerHook(
  input: CommandInput,
  context: CommandContext,
  call: (hook: HookJson) => Promise<VerbResult>,
): Promise<number> {
  try {
    const hook = (await hookJson(input, context)) ?? {};
    if (input.flags["reply"] === "block" && context.env["TOWN_IN_TURNS"] !== undefined) return EXIT.done;
    const result = await call(hook);
    const answer = hookReply(input.flags["reply"], hook, plainText(result.text));
    if (answer !== "") context.streams.out(`${answer}\n`);
    await giveReceipt(context, result);
    return EXIT.done;
  } catch (error) {
    context.streams.err(errorText(error));
    return EXIT.failed;
  }
}

/** Text in the form that a program's hook wants; nothing at all when there is nothing to say. */
export function hookReply(form: unknown, hook: HookJson, text: string): string {
  const said = text.trimEnd();
  if (said === "") return "";
  if (form === "block") return JSON.stringify({ decision: "block", reason: said });
  if (form !== "context") return said;
  const { hook_event_name: hookEventName } = hook;
  return JSON.stringify({ hookSpecificOutput: { hookEventName, additionalContext: said } });
}
