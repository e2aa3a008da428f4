import { messageOf, TownError } from "../errors/town-error.ts";
import type { Author } from "../ports/work-graph.ts";
import type { Answer, BdCommand, Call, Truncation } from "./command.ts";
import { commands } from "./commands/command-list.ts";
import type { BdContext, BdResult } from "./context.ts";
import { absolute } from "./access/files.ts";
import { requireMayRun } from "./access/limits.ts";
import { chooseCommand } from "./grammar/choose-command.ts";
import { completeWord, wantedWord } from "./grammar/completion.ts";
import { commandHelp, firstHelp, overview } from "./grammar/help-text.ts";
import { globalFlags, placeFlags } from "./grammar/global-flags.ts";
import type { Flags } from "./grammar/flags.ts";
import type { ParsedLine } from "./grammar/parse-flags.ts";
import { parseFlags } from "./grammar/parse-flags.ts";
import { usageError } from "./grammar/usage-error.ts";
import { paintFor } from "./output/paint.ts";
import { wrap } from "./output/plain-text.ts";
import { runnable } from "./output/program-name.ts";
import { completionsFor } from "./queries/completions.ts";

/**
 * Runs one bd command line over the work graph. Never throws: what goes wrong is in `stderr`, exit code 1 as bd's, or 6
 * when the store could not be written now.
 */
export async function runBd(argv: readonly string[], given: BdContext): Promise<BdResult> {
  const program = given.session === undefined ? "town bd" : "bd";
  const told = aboutBd(argv, given, program);
  if (told !== undefined) return told;
  const { directory } = placeFlags(argv);
  const context = directory === undefined ? given : { ...given, cwd: absolute(directory, given.cwd) };
  try {
    if (argv[0] === completeWord) {
      const found = await completionsFor(wantedWord(commands, argv.slice(1)), argv.at(-1) ?? "", context);
      return { stdout: found.map((word) => `${word}\n`).join(""), stderr: "", exitCode: 0 };
    }
    const { command, line } = understood(argv);
    const call = callOf(command, line, context, (text) => runnable(text, program));
    return command.run === undefined ? printed("") : rendered(await command.run(call), call);
  } catch (error) {
    if (error instanceof TownError && error.reason === "Forbidden") context.denied?.(error.message);
    return failed(error, { isJson: argv.includes("--json"), program, columns: columnsOf(context) });
  }
}

/** Columns to keep text within; undefined: nobody looks. */
function columnsOf({ isTerminal, columns }: BdContext): number | undefined {
  return isTerminal ? (columns ?? 80) : undefined;
}

/**
 * The answer to a line that asks for nothing but the program itself: help, its version, the tour; and the error of one that
 * nobody understands. Undefined: it needs a store.
 */
export function aboutBd(
  argv: readonly string[],
  { version, env, columns }: Pick<BdContext, "version" | "env" | "columns">,
  program = "town bd",
): BdResult | undefined {
  const own = (text: string): string => runnable(text, program);
  try {
    if (argv[0] === completeWord) return knownCompletions(argv.slice(1));
    if (chooseCommand(commands, asCommand(argv)) === undefined) {
      const isAsked = argv.some((word) => word === "-h" || word === "--help");
      return printed((isAsked ? overview : firstHelp)(commands, { own, columns }));
    }
    const { command, line } = understood(argv);
    const { args, flags } = line;
    if (flags.isSet("help")) return printed(commandHelp(command, commands, { own, columns }));
    if (command.about === undefined) return undefined;
    return rendered(command.about({ args, own, version, columns }), {
      flags,
      isJson: flags.isSet("json"),
      context: { env },
      columns,
    });
  } catch (error) {
    return failed(error, { isJson: argv.includes("--json"), program, columns });
  }
}

/** What a shell offers without looking into a store; undefined: it must. */
function knownCompletions(words: readonly string[]): BdResult | undefined {
  const wanted = wantedWord(commands, words);
  if (wanted.ids !== undefined || wanted.labels === true || wanted.statuses === true) return undefined;
  const found = wanted.words.filter((word) => word.startsWith(words.at(-1) ?? "")).sort();
  return { stdout: [...new Set(found)].map((word) => `${word}\n`).join(""), stderr: "", exitCode: 0 };
}

/** `--version` asks for a command, as other programs have it. */
function asCommand(argv: readonly string[]): readonly string[] {
  const [first = "", ...rest] = argv;
  const isAlone = rest.every((word) => word.startsWith("-"));
  return isAlone && ["--version", "-V", "-v"].includes(first) ? ["version", ...rest] : argv;
}

function understood(argv: readonly string[]): { readonly command: BdCommand; readonly line: ParsedLine } {
  const chosen = chooseCommand(commands, asCommand(argv));
  if (chosen === undefined) throw usageError("no command was given", "bd help lists the commands");
  const { command, rest } = chosen;
  const line = parseFlags(command.name, rest, [...(command.flags ?? []), ...globalFlags]);
  const [extra] = line.args;
  if (command.args === undefined && extra !== undefined && !line.flags.isSet("help"))
    throw usageError(`bd ${command.name} takes no arguments, received "${extra}"`, `see: bd help ${command.name}`);
  return { command, line };
}

function printed(text: string): BdResult {
  return { stdout: `${text}\n`, stderr: "", exitCode: 0 };
}

function callOf(command: BdCommand, { args, flags }: ParsedLine, context: BdContext, own: Call["own"]): Call {
  if (writesNow(command, flags) && (flags.isSet("readonly") || context.readOnly === true))
    throw new TownError("ReadOnly", `bd ${command.name} changes something, and this is read-only`, {
      hint: flags.isSet("readonly") ? "leave out --readonly" : "ask somebody who may edit",
    });
  if (writesNow(command, flags)) requireMayRun(context, command.name);
  const author = authorOf(context, flags.text("actor"));
  return {
    context,
    author,
    home: context.home,
    args,
    flags: flags.text("assignee") === "me" ? flags.with("assignee", author.actor) : flags,
    isJson: flags.isSet("json"),
    isBrief: flags.isSet("brief"),
    now: context.clock.now(),
    paint: paintFor(context.isTerminal && !flags.isSet("json") && !flags.isSet("no-color"), context.env),
    columns: columnsOf(context),
    own,
    ...changesOf(context, author),
  };
}

function changesOf({ request }: BdContext, author: Author): Pick<Call, "transact" | "hasChanged"> {
  const made = new Set<string>();
  return {
    transact: (graph, work, about = "") => {
      const name = `${graph.namespace}/${about}`;
      if (made.has(name)) throw new Error(`two changes of one call are both about '${name}'`);
      made.add(name);
      return graph.transact(author, work, request === undefined ? {} : { requestId: `${request}/${about}` });
    },
    hasChanged: (graph, about = "") => request !== undefined && graph.answerOf(`${request}/${about}`) !== undefined,
  };
}

function writesNow({ writes, writesWith }: BdCommand, flags: Flags): boolean {
  return writes === true || (writesWith ?? []).some((name) => flags.has(name));
}

function authorOf(context: BdContext, actor: string | undefined): Author {
  const { session } = context;
  const stated = actor ?? context.env["BEADS_ACTOR"];
  if (session === undefined) return { actor: stated === undefined || stated === "" ? context.actor : stated };
  if (actor !== undefined && actor !== context.actor)
    throw new TownError("Forbidden", `--actor: this session is ${context.actor} and cannot act as ${actor}`, {
      hint: "leave --actor out",
    });
  return { actor: context.actor, session: session.name };
}

type Rendering = Pick<Call, "flags" | "isJson" | "columns"> & { readonly context: Pick<BdContext, "env"> };

function rendered(answer: Answer, call: Rendering): BdResult {
  const isQuiet = call.flags.isSet("quiet");
  const stdout =
    answer.isRaw === true
      ? printableJson(textOf(answer))
      : call.isJson
        ? jsonText(answer, call)
        : isQuiet
          ? ""
          : withinColumns(textOf(answer), answer.isDiagram === true ? undefined : call.columns);
  const notes = isQuiet && (answer.exitCode ?? 0) === 0 ? [] : [...(answer.notes ?? []), ...truncationNote(answer)];
  return {
    stdout: withNewline(stdout),
    stderr: withNewline(withinColumns(notes.join("\n"), call.columns)),
    exitCode: answer.exitCode ?? 0,
  };
}

function withinColumns(text: string, columns: number | undefined): string {
  return columns === undefined ? text : wrap(text, columns).join("\n");
}

function textOf({ text }: Answer): string {
  return typeof text === "string" ? text : text();
}

function jsonText(answer: Answer, { context }: Rendering): string {
  const data = "json" in answer ? answer.json : { text: textOf(answer) };
  const enveloped = ["1", "true"].includes(context.env["BD_JSON_ENVELOPE"] ?? "");
  const { truncated } = answer;
  if (!enveloped) return printableJson(JSON.stringify(marked(data, truncated), undefined, 2));
  const envelope = { schema_version: 1, data, truncated: truncated !== undefined, ...truncated };
  return printableJson(JSON.stringify(envelope, undefined, 2));
}

/**
 * The last of a list that was cut says so: bd's plain lists have no other place for it, and whoever reads them may see
 * nothing of stderr.
 */
function marked(data: unknown, truncated: Truncation | undefined): unknown {
  if (truncated === undefined || !Array.isArray(data)) return data;
  const last: unknown = data.at(-1);
  if (typeof last !== "object" || last === null) return data;
  return [...(data.slice(0, -1) as unknown[]), { ...last, _truncated: { ...truncated, all: "--limit 0" } }];
}

// JSON leaves these characters as they are, and whoever guards a terminal takes them out: they must not be lost on the way.
function printableJson(json: string): string {
  return json.replace(/[\u007f-\u009f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

function truncationNote({ truncated }: Answer): readonly string[] {
  if (truncated === undefined) return [];
  return [`Showing ${truncated.shown} of ${truncated.total}; --limit 0 shows all.`];
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/** Exit code of a store that somebody else holds, or that is about to be opened: trying again can help. */
const busyReasons = new Set(["StoreLocked", "StoreNotOpen", "BranchBusy", "RemoteBusy"]);

/** What a failed command prints; also for failures before there is a context. `columns`: those of a terminal. */
export function failed(
  error: unknown,
  {
    isJson,
    program = "town bd",
    columns,
  }: { readonly isJson: boolean; readonly program?: string; readonly columns?: number | undefined },
): BdResult {
  const message = messageOf(error);
  const { reason, hint: given } = error instanceof TownError ? error : { reason: "Internal", hint: undefined };
  const hint = given === undefined ? undefined : runnable(given, program);
  const exitCode = busyReasons.has(reason) ? 6 : 1;
  const stderr = isJson
    ? JSON.stringify({ schema_version: 1, error: message, code: reason, ...(hint === undefined ? {} : { hint }) })
    : withinColumns(`Error: ${message}${hint === undefined ? "" : `\n  ${hint}`}`, columns);
  return { stdout: "", stderr: `${stderr}\n`, exitCode };
}

/**
 * Whether a command line changes the store, so that it must be opened for writing. False for one that cannot be understood:
 * running it says why.
 */
export function changesStore(argv: readonly string[]): boolean {
  try {
    const { command, line } = understood(argv);
    return !line.flags.isSet("help") && writesNow(command, line.flags);
  } catch {
    return false;
  }
}
