import type { FlagSpec } from "../context.ts";
import { hotRows } from "./hot-rows.ts";
import type { Positional, VerbRow } from "./verb-row.ts";

const one = (name: string): Positional => ({ name, takes: "one" });
const optional = (name: string): Positional => ({ name, takes: "optional" });
const some = (name: string): Positional => ({ name, takes: "some" });
const text = (name: string): Positional => ({ name, takes: "text" });
const flag = (name: string, summary: string, short?: string): FlagSpec => ({
  name,
  type: "boolean",
  summary,
  ...(short === undefined ? {} : { short }),
});
const value = (name: string, word: string, summary: string, short?: string): FlagSpec => ({
  name,
  type: "string",
  value: word,
  summary,
  ...(short === undefined ? {} : { short }),
});
const REASON = value("reason", "TEXT", "why; kept in the history", "r");

/**
 * Every command that is a call of the verb of its name; the daemon checks the arguments, so that a row only says how
 * they are written.
 */
export const verbRows: readonly VerbRow[] = [
  ...hotRows,
  {
    name: "rig add",
    group: "rigs",
    summary: "adopt a repository: writes and commits its manifest",
    positionals: [one("name"), one("source")],
    flags: [
      value("branch", "BRANCH", "branch that work is merged to"),
      value("prefix", "PREFIX", "prefix of its bead ids"),
      flag("dry-run", "show the manifest, write nothing"),
    ],
    examples: ["town rig add api ~/src/api", "town rig add web https://example.com/web.git"],
    read: (_, context) => Promise.resolve({ cwd: context.cwd }),
  },
  {
    name: "rig remove",
    group: "rigs",
    summary: "let a repository go, as it was before its adoption",
    positionals: [one("name")],
    flags: [flag("force", "although work is under way")],
  },
  {
    name: "sling",
    repeats: true,
    group: "dispatch",
    summary: "have work done: beads, an epic or a text",
    positionals: [some("beads")],
    flags: [
      value("to", "TARGET", "agent, pool or rig that gets them; default: the rig of each bead"),
      value("formula", "NAME", "workflow to pour for each"),
      { name: "var", type: "list", value: "NAME=VALUE", summary: "value of a variable of the workflow" },
    ],
    examples: [
      "town sling api-x1",
      "town sling api-x1 --to api/polecats/toast",
      'town sling "fix the login page" --to api',
    ],
  },
  { name: "mol current", group: "workflows", summary: "the step to do now", positionals: [optional("id")] },
  { name: "mol progress", group: "workflows", summary: "how far a molecule is", positionals: [optional("id")] },
  {
    name: "close",
    repeats: true,
    group: "work",
    summary: "close beads or steps; --continue goes on with the next step",
    positionals: [some("ids")],
    flags: [
      flag("continue", "claim the step that follows and print it"),
      REASON,
      flag("force", "although others depend on it"),
    ],
    examples: ["town close api-x1.2 --continue", 'town close api-x1 --reason "no longer needed"'],
  },
  {
    name: "done",
    repeats: true,
    group: "agents",
    summary: "say how the work on your hook ended",
    flags: [
      {
        ...value("outcome", "HOW", "Submitted, NoChange, Blocked, Failed or Question; default Submitted"),
        choices: ["Submitted", "NoChange", "Blocked", "Failed", "Question"],
      },
      REASON,
      value("on", "BEAD", "with Blocked: the bead that it waits for"),
      flag("commit-all", "commit every change in the sandbox first"),
    ],
    examples: ["town done", 'town done --outcome Blocked --on api-x7 --reason "needs the new client"'],
  },
  {
    name: "handoff",
    repeats: true,
    group: "agents",
    summary: "save where you are, end this session, go on in a fresh one",
    positionals: [text("note")],
    flags: [
      value("message", "NOTE", "the note, also as plain words behind the command", "m"),
      flag("mail", "keep the note as mail to the agent, too"),
      value("agent", "AGENT", "hand off another agent's session"),
    ],
    isHook: true,
    examples: ['town handoff "tests are red in cart_test, see notes"'],
  },
  {
    name: "nudge",
    repeats: true,
    group: "agents",
    summary: "send an agent a message that it reads at its next prompt",
    positionals: [one("agent"), text("text")],
    examples: ['town nudge toast "the API changed, pull main"'],
  },
  {
    name: "peek",
    group: "agents",
    summary: "the last lines of an agent's screen",
    positionals: [one("agent")],
    flags: [{ name: "lines", type: "number", value: "COUNT", summary: "how many; default 50" }],
    keepColours: true,
  },
  {
    name: "seance",
    group: "agents",
    summary: "ask a former session of an agent",
    positionals: [one("agent")],
    flags: [
      value("prompt", "QUESTION", "what to ask", "p"),
      value("session", "ID", "which of its sessions; default: the last"),
    ],
    examples: ['town seance toast -p "why did you pick a mutex there?"'],
  },
  {
    name: "sandbox",
    group: "agents",
    summary: "where an agent works: path, branch, state",
    positionals: [optional("agent")],
  },
  {
    name: "approve",
    group: "merging",
    summary: "approve work that waits to be merged",
    positionals: [one("request")],
    examples: ["town approve api-x1"],
  },
  {
    name: "reject",
    group: "merging",
    summary: "send work that waits to be merged back, with the reason",
    positionals: [one("request")],
    flags: [REASON],
    examples: ['town reject api-x1 --reason "the migration needs a way back"'],
  },
  { name: "sandbox list", group: "agents", summary: "every agent's worktree with its branch and state" },
  {
    name: "plugin run",
    repeats: true,
    group: "dispatch",
    summary: "run a plugin now, whatever its gate says",
    positionals: [one("name")],
    flags: [value("rig", "RIG", "about this rig only")],
    examples: ["town plugin run backup", "town plugin run lint --rig api"],
  },
  {
    name: "provider test",
    group: "agents",
    summary: "check an installed agent program; asks its model a few words",
    positionals: [one("name")],
  },
  {
    name: "agent cv",
    group: "agents",
    summary: "what an agent has done and what came of it",
    positionals: [one("agent")],
    flags: [{ name: "limit", type: "number", value: "N", summary: "entries shown; default 20" }],
  },
  {
    name: "mail send",
    repeats: true,
    group: "talk",
    summary: "write to agents or people",
    positionals: [some("to")],
    flags: [
      value("subject", "TEXT", "subject line", "s"),
      value("message", "TEXT", "body; - or none takes it from stdin", "m"),
      value("reply-to", "ID", "mail that this answers"),
      flag("urgent", "nudge the reader now"),
    ],
    examples: ['town mail send mayor -s "api is green" -m "ready for the next epic"'],
    read: async (input, context) => {
      const { message } = input.flags;
      if (message !== undefined && message !== "-") return {};
      return { message: await context.streams.readStdin() };
    },
  },
  { name: "mail read", group: "talk", summary: "one mail in full; it counts as read", positionals: [one("id")] },
  { name: "mail thread", group: "talk", summary: "a mail with all answers", positionals: [one("id")] },
  {
    name: "mail reply",
    repeats: true,
    group: "talk",
    summary: "answer a mail",
    positionals: [one("id"), text("message")],
  },
  { name: "mail ack", group: "talk", summary: "mark mails as done", positionals: [some("ids")] },
  { name: "mail archive", group: "talk", summary: "put mails away", positionals: [some("ids")] },
  {
    name: "escalate",
    repeats: true,
    group: "talk",
    summary: "ask a person to decide",
    positionals: [text("message")],
    flags: [
      {
        ...value("severity", "HOW", "low, medium, high or critical; default medium"),
        choices: ["low", "medium", "high", "critical"],
      },
      value("bead", "ID", "bead that it is about"),
    ],
  },
  {
    name: "secret set",
    group: "town",
    summary: "keep a value from stdin for valueFrom.secretRef",
    positionals: [one("name")],
    examples: ["town secret set anthropic-key < key.txt", "pass show anthropic | town secret set anthropic-key"],
    read: async (_, context) => {
      if (context.streams.inIsTerminal)
        context.streams.err("Paste the value and end with Ctrl-D on a line of its own.\n");
      return { value: await context.streams.readStdin() };
    },
  },
  { name: "secret list", group: "town", summary: "names of the secrets, and what uses them" },
  { name: "secret delete", group: "town", summary: "forget a secret", positionals: [one("name")] },
  {
    name: "token create",
    group: "town",
    summary: "give a person a token of their own",
    positionals: [one("name")],
    flags: [
      { ...value("role", "ROLE", "view, edit or admin; default view"), choices: ["view", "edit", "admin"] },
      value("email", "ADDRESS", "author of the commits that their changes become"),
      flag("kubeconfig", "print a kubeconfig with it instead of the bare token"),
    ],
    examples: ["town token create pat --role edit --kubeconfig > pat.yaml"],
  },
  { name: "token list", group: "town", summary: "people with a token, and their roles" },
  { name: "token revoke", group: "town", summary: "make a person's token void", positionals: [one("name")] },
];
