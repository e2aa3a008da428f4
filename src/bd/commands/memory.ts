import { TownError } from "../../errors/town-error.ts";
import { settingsOf } from "../access/settings.ts";
import type { Answer, BdCommand, Call } from "../command.ts";
import { oneArgument } from "../grammar/arguments.ts";
import { text } from "../grammar/flag.ts";
import { usageError } from "../grammar/usage-error.ts";
import { cleanLine } from "../output/plain-text.ts";

/** Settings under this prefix are memories: they travel in the same files as the beads, and every prime shows them. */
export const memoryPrefix = "memory.";

/** Every session reads every memory when it begins. */
const longestText = 1_000;

export interface RememberedFact {
  readonly key: string;
  readonly value: string;
}

/** What is remembered in the caller's store, by key. */
export async function memoriesOf({
  home,
  context,
}: Pick<Call, "home" | "context">): Promise<readonly RememberedFact[]> {
  return Object.entries(await settingsOf(home, context))
    .filter(([key]) => key.startsWith(memoryPrefix))
    .map(([key, value]) => ({ key: key.slice(memoryPrefix.length), value }));
}

export const rememberCommand: BdCommand = {
  name: "remember",
  group: "Store",
  summary: "keep a fact that bd prime tells everybody who begins to work here",
  args: "<text>",
  flags: [text("key", "KEY", "its name; default the first words. Remembering a name again replaces the fact")],
  examples: [
    'bd remember "tests need a running postgres: make db"',
    'bd remember "deploys happen on Fridays" --key deploys',
  ],
  writes: true,
  run: async (call) => {
    const value = call.args.join(" ").trim();
    if (value === "") throw usageError("nothing to remember", 'bd remember "what everybody here should know"');
    if (value.length > longestText)
      throw usageError(
        `a memory may have ${longestText} characters, this has ${value.length}`,
        "put the long form into a bead or a file and remember where it is",
      );
    const key = keyOf(call.flags.text("key") ?? value);
    await call.context.tools.changeSettings(call.home, { [`${memoryPrefix}${key}`]: value });
    return { text: `${call.paint("green", "✓")} Remembered as ${key}`, json: { key, value } };
  },
};

export const memoriesCommand: BdCommand = {
  name: "memories",
  group: "Store",
  summary: "what is remembered here",
  args: "[words]",
  run: async (call) => {
    const wanted = call.args.join(" ").toLowerCase();
    const found = (await memoriesOf(call)).filter(({ key, value }) => `${key} ${value}`.toLowerCase().includes(wanted));
    return {
      text:
        found.length === 0
          ? "Nothing is remembered."
          : found.map(({ key, value }) => `${key}: ${cleanLine(value)}`).join("\n"),
      json: found,
    };
  },
};

export const recallCommand: BdCommand = {
  name: "recall",
  group: "Store",
  summary: "one remembered fact",
  args: "<key>",
  run: async (call): Promise<Answer> => {
    const fact = await requireFact(call);
    return { text: cleanLine(fact.value), json: fact };
  },
};

export const forgetCommand: BdCommand = {
  name: "forget",
  group: "Store",
  summary: "drop a remembered fact",
  args: "<key>",
  writes: true,
  run: async (call) => {
    const { key } = await requireFact(call);
    if (call.context.session?.managesBeads === false)
      throw new TownError("Forbidden", `${call.author.actor} may not forget what others rely on`, {
        hint: `remember it as it is now: bd remember "…" --key ${key}`,
      });
    await call.context.tools.changeSettings(call.home, { [`${memoryPrefix}${key}`]: undefined });
    return { text: `${call.paint("green", "✓")} Forgot ${key}`, json: { key, forgotten: true } };
  },
};

async function requireFact(call: Call): Promise<RememberedFact> {
  const key = oneArgument(call.args, "bd memories shows the keys");
  const fact = (await memoriesOf(call)).find((known) => known.key === key);
  if (fact !== undefined) return fact;
  throw new TownError("NotFound", `nothing is remembered as "${key}"`, { hint: "bd memories shows the keys" });
}

/** A text as a key: its first words, lower-case, joined by dashes. */
function keyOf(given: string): string {
  const key = given
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .split("-")
    .filter((word) => word !== "")
    .slice(0, 6)
    .join("-")
    .slice(0, 60);
  if (key !== "") return key;
  throw usageError("the memory needs a name", "give one: --key KEY");
}
