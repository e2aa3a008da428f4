import type { Command } from "commander";
import type { CommandContext, CommandInput } from "../context.ts";
import { EXIT, usageError } from "../exit-codes.ts";
import { discoverTypes, typesNamed } from "../resources/discovery.ts";
import { listObjects } from "../resources/objects.ts";

// Each script asks `town __complete WORD...` for candidates, one a line; the last word is the one being typed.
const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_town() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(town __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _town town
`,
  zsh: `#compdef town
_town() {
  local -a candidates
  candidates=("\${(@f)$(town __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a candidates
}
if [ "$funcstack[1]" = "_town" ]; then _town "$@"; else compdef _town town; fi
`,
  fish: `function __town_complete
  set -l words (commandline -opc)
  town __complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c town -f -a '(__town_complete)'
`,
};

/** \`completion SHELL\`: the script to source. */
export function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [shell = ""] = input.args;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined || input.args.length !== 1)
    throw usageError("you must say which shell: bash, zsh or fish", "as `source <(town completion bash)` in ~/.bashrc");
  context.streams.out(script);
  return Promise.resolve(EXIT.done);
}

/** Commands whose arguments are a type and names of its objects. */
const ON_OBJECTS = new Set([
  "get",
  "describe",
  "delete",
  "edit",
  "patch",
  "label",
  "annotate",
  "scale",
  "wait",
  "suspend",
  "resume",
  "reconcile",
  "history",
  "undo",
  "tree",
  "trace",
  "why",
]);
const ON_AGENTS = new Set(["attach", "peek", "nudge", "logs", "hook", "handoff", "seance", "sandbox"]);
const ANSWER_WITHIN_MS = 1500;

/** Candidates for the last of \`words\`. Never fails: a daemon that is away only means fewer of them. */
export async function candidates(
  program: Command,
  words: readonly string[],
  context: CommandContext,
): Promise<readonly string[]> {
  const current = words.at(-1) ?? "";
  const { command, args } = commandAt(program, words.slice(0, -1));
  if (current.startsWith("-"))
    return command.options
      .filter((option) => !option.hidden)
      .flatMap((option) => (typeof option.long === "string" ? [option.long] : []));
  const inner = command.commands.map((candidate) => candidate.name());
  if (inner.length > 0) return inner.filter((name) => name.startsWith(current)).sort();
  try {
    return (await fromServer(command.name(), args, context)).filter((name) => name.startsWith(current));
  } catch {
    return [];
  }
}

function commandAt(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly args: readonly string[] } {
  let command = program;
  const args: string[] = [];
  for (const word of words) {
    if (word.startsWith("-")) continue;
    const next = command.commands.find((candidate) => candidate.name() === word || candidate.aliases().includes(word));
    if (next === undefined || args.length > 0) args.push(word);
    else command = next;
  }
  return { command, args };
}

async function fromServer(
  command: string,
  args: readonly string[],
  context: CommandContext,
): Promise<readonly string[]> {
  if (!ON_OBJECTS.has(command) && !ON_AGENTS.has(command)) return [];
  const api = context.api();
  const types = await discoverTypes(limited(api));
  const [word] = ON_AGENTS.has(command) ? ["agents"] : args;
  if (word === undefined) return types.flatMap((type) => [type.plural, ...type.shortNames]).sort();
  const [type] = typesNamed(word, types);
  if (type === undefined) return [];
  return (await listObjects(limited(api), type, { namespace: undefined })).items.map((item) => item.metadata.name);
}

/** A key press must not hang on a slow daemon. */
function limited(api: ReturnType<CommandContext["api"]>): ReturnType<CommandContext["api"]> {
  return { ...api, send: (request) => api.send({ ...request, timeoutMs: ANSWER_WITHIN_MS }) };
}
