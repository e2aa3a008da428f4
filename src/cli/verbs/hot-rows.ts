import type { CommandInput, CommandContext, FlagSpec } from "../context.ts";
import { usageError } from "../exit-codes.ts";
import type { VerbRow } from "./verb-row.ts";

const HOOK_INPUT: FlagSpec = {
  name: "hook",
  type: "boolean",
  summary: "called by the agent program's hook: take its JSON from stdin",
};

/** What agents and their programs' hooks call all the time; the hot bundle holds these and `get`. */
export const hotRows: readonly VerbRow[] = [
  {
    name: "prime",
    group: "agents",
    summary: "what to do now, how to finish it, what to do when stuck",
    flags: [
      HOOK_INPUT,
      { name: "full", type: "boolean", summary: "uncut, also what has not changed since the last time" },
    ],
    read: hookInput,
  },
  {
    name: "hook",
    group: "agents",
    summary: "the bead on an agent's hook",
    positionals: [{ name: "agent", takes: "optional" }],
    examples: ["town hook", "town hook api/polecats/toast"],
  },
  {
    name: "mail inbox",
    group: "talk",
    summary: "mail to you, unread first",
    flags: [
      { name: "unread", type: "boolean", summary: "only what has not been read" },
      { name: "agent", type: "string", value: "AGENT", summary: "another agent's inbox" },
    ],
  },
  {
    name: "nudge drain",
    group: "agents",
    summary: "take the messages that wait for this session",
    flags: [HOOK_INPUT],
    read: hookInput,
  },
];

/** The JSON that an agent program hands to its hooks on stdin: session id, transcript path, event. */
async function hookInput(input: CommandInput, context: CommandContext): Promise<Readonly<Record<string, unknown>>> {
  if (input.flags["hook"] !== true) return {};
  const text = await context.streams.readStdin();
  try {
    return { hook: JSON.parse(text === "" ? "{}" : text) as unknown };
  } catch {
    throw usageError("--hook: stdin is no JSON", "--hook is for the hooks of agent programs; leave it out by hand");
  }
}
