import type { VerbRow } from "./verb-row.ts";

/** What agents and their programs' hooks call all the time; the hot bundle holds these and `get`. */
export const hotRows: readonly VerbRow[] = [
  {
    name: "prime",
    group: "agents",
    summary: "what to do now, how to finish it, what to do when stuck",
    flags: [{ name: "full", type: "boolean", summary: "uncut, also what has not changed since the last time" }],
    isHook: true,
    repeats: true,
  },
  {
    name: "hook",
    repeats: true,
    group: "agents",
    summary: "the bead on an agent's hook; put one there; hand it on",
    positionals: [
      { name: "agent", takes: "optional" },
      { name: "bead", takes: "optional" },
    ],
    flags: [
      { name: "clear", type: "boolean", summary: "hand the work on to whoever takes it next" },
      { name: "reason", short: "r", type: "string", value: "TEXT", summary: "with --clear: why; kept on the bead" },
      { name: "force", type: "boolean", summary: "with --clear: although files are not committed" },
    ],
    examples: ["town hook", "town hook api/polecats/toast", "town hook toast api-x1", "town hook --clear"],
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
    isHook: true,
    repeats: true,
  },
];
