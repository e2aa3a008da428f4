import type { BdCommand, Call } from "../command.ts";
import { flag } from "../grammar/flag.ts";
import { cleanLine } from "../output/plain-text.ts";
import { memoriesOf } from "./memory.ts";

const rules = `## Rules
- Track work here, not in Markdown lists: file what you find while you work.
- Claim before you begin; close with a reason when it is done.
- Ids are exact where something changes; reads take a part of one.

## Find work
- \`bd ready\` what can start now, most urgent first; \`bd ready --claim\` takes the first
- \`bd show ID\` everything about one; \`bd list -s in_progress\`; \`bd search "words"\`; \`bd blocked\`

## Do it
- \`bd update ID --claim\` it is yours; refused when somebody has it
- \`bd comment ID "what happened"\`, \`bd update ID --append-notes "…"\`
- \`bd close ID --reason "…" --suggest-next\`

## File work
- \`bd create "Title" -t bug|feature|task|epic|chore -p 0-4 -d "why and what"\`
- \`bd create "Found" --deps discovered-from:ID\` while you work on ID
- \`bd dep add B A\` B waits for A; \`--parent EPIC\` makes a child

Every command has --json and --brief; \`bd help COMMAND\` shows its flags.`;

export const primeCommand: BdCommand = {
  name: "prime",
  aliases: ["onboard"],
  group: "Help",
  summary: "what an agent needs to know to work with beads here",
  flags: [
    flag("hook-json", "as the JSON that agent programs take from their hooks"),
    flag("memories-only", "only what is remembered"),
  ],
  run: async (call) => {
    const memories = await memoryLines(call);
    const body = call.flags.isSet("memories-only")
      ? memories
      : [`# Beads of ${call.home.namespace}`, stateLine(call), "", call.own(rules), ...memories];
    const text = body.join("\n").trim();
    if (!call.flags.isSet("hook-json")) return { text };
    const output = { hookSpecificOutput: { hookEventName: "SessionStart", additionalContext: text } };
    return { text: JSON.stringify(output), json: output };
  },
};

function stateLine({ home, author }: Call): string {
  const ready = home.readyCount();
  const mine = home.list({ status: ["in_progress", "hooked"], assignee: author.actor });
  const held =
    mine.length === 0 ? "" : ` You hold ${mine.map(({ id, title }) => `${id} (${cleanLine(title)})`).join(", ")}.`;
  return `${ready} ready.${held}`;
}

async function memoryLines(call: Call): Promise<readonly string[]> {
  const memories = await memoriesOf(call);
  if (memories.length === 0) return [];
  return ["", "## Remembered", ...memories.map(({ key, value }) => `- ${cleanLine(key)}: ${cleanLine(value)}`)];
}

export const quickstartCommand: BdCommand = {
  name: "quickstart",
  group: "Help",
  summary: "a short tour",
  about: ({ own }) => ({
    text: own(`Beads are issues that know what they wait for. They live in this
repository's git, on the branch town/work: no database, no server, nothing in
your checkout.

  bd create "Set up the database" -p 1
  bd create "Write the API" -t feature
  bd dep add API-ID DB-ID        the API waits for the database
  bd ready                       what can start now
  bd update ID --claim           it is yours
  bd close ID --reason "done"    and what waited for it becomes ready

  bd create "Release 1.0" -t epic
  bd create "Changelog" --parent EPIC
  bd epic status                 how far it is
  bd dep tree ID                 what it hangs on

  bd import .beads/issues.jsonl  from another bd, of any version
  bd export -o issues.jsonl      and back
  bd sync                        exchange with the git remote

bd help lists every command; bd prime is the short form for agents.`),
  }),
};
