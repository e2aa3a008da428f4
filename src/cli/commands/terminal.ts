import type { VerbResult } from "../../resource/verb.ts";
import type { CommandContext, CommandInput } from "../context.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import { callAgain } from "../verbs/call-again.ts";
import { callVerb, printResult } from "../verbs/call-verb.ts";

/** `attach AGENT`: hands the terminal to the agent's session. */
export async function runAttach(input: CommandInput, context: CommandContext): Promise<number> {
  const [agent] = input.args;
  if (agent === undefined || input.args.length > 1)
    throw new CliError(
      EXIT.usage,
      "Usage",
      "you must say which agent",
      "`town attach AGENT`; `town get agents` lists them",
    );
  return (await attach(agent, input.flags["readOnly"] === true, context)).code;
}

/** Takes the terminal of an agent's session. `moved`: the terminal was in the town's tmux already and shows it from now on. */
export async function attach(
  agent: string,
  readOnly: boolean,
  context: CommandContext,
): Promise<{ readonly code: number; readonly moved: boolean }> {
  const result = await callVerb(context.api(), "attach", { agent, ...(readOnly ? { readOnly: true } : {}) });
  const moved = nestedCommand(commandOf(result) ?? [], context.env["TMUX"]).includes("switch-client");
  return { code: await runAnswered(result, `\`town peek ${agent}\` shows its screen`, context), moved };
}

const ATTACHING = /^(?:a|at|att|atta|attac|attach|attach-session)$/;

/** `tmux …`: tmux on the town's own server; only what attaches needs a terminal. */
export async function runTmux(input: CommandInput, context: CommandContext): Promise<number> {
  const result = await callVerb(context.api(), "tmux", { argv: input.args });
  const [verb] = input.args;
  const command = commandOf(result);
  if (command !== undefined && verb !== undefined && !ATTACHING.test(verb))
    return await context.programs.run(command, { env: context.env });
  return await runAnswered(result, "`town tmux list-sessions` and the like need none", context);
}

/** `mayor [TEXT]`: with text the verb delivers it; without, it answers with the terminal to take. */
export async function runMayor(input: CommandInput, context: CommandContext): Promise<number> {
  const text = input.args.join(" ");
  const result = await callAgain(context, "mayor", text === "" ? {} : { text });
  return commandOf(result) === undefined || text !== ""
    ? printResult(result, context.streams)
    : await runAnswered(result, "", context);
}

async function runAnswered(result: VerbResult, hint: string, context: CommandContext): Promise<number> {
  const command = commandOf(result);
  if (command === undefined)
    throw new CliError(
      EXIT.failed,
      "NoTerminal",
      result.errorText ?? (result.text || "its runtime gives no terminal to attach to"),
      hint,
    );
  if (!context.streams.outIsTerminal || !context.streams.inIsTerminal)
    throw new CliError(EXIT.failed, "NoTerminal", "attaching needs a terminal", hint);
  const nested = nestedCommand(command, context.env["TMUX"]);
  // tmux refuses to start inside tmux while TMUX is set; nestedCommand has chosen a form that is safe.
  const { TMUX: _, ...env } = context.env;
  return await context.programs.run(nested, { env: nested === command ? env : context.env });
}

function commandOf(result: VerbResult): readonly string[] | undefined {
  const command = (result.data as { readonly command?: readonly string[] } | undefined)?.command;
  return Array.isArray(command) && command.length > 0 ? command : undefined;
}

/**
 * What to run instead when the user already sits in tmux (`$TMUX` is `SOCKET,PID,SESSION`): inside the town's own server the client
 * moves to the session; inside another one the attachment gets a window of its own there, so that no tmux runs in a pane of tmux
 * under the same prefix key by surprise.
 */
export function nestedCommand(command: readonly string[], tmux: string | undefined): readonly string[] {
  // `env TMUX_TMPDIR=…` may stand in front.
  const at = command.findIndex((word) => word === "tmux" || word.endsWith("/tmux"));
  const program = command[at];
  if (tmux === undefined || tmux === "" || program === undefined) return command;
  const server = valueAfter(command, "-L");
  const target = valueAfter(command, "-t");
  const outer = tmux.split(",")[0] ?? "";
  if (target === undefined) return command;
  if (server !== undefined && outer.endsWith(`/${server}`))
    return [...command.slice(0, at), program, "-L", server, "switch-client", "-t", target];
  return [
    program,
    "-S",
    outer,
    "new-window",
    "-n",
    target.replace(/^=/, ""),
    ["env", "-u", "TMUX", ...command].map(quoted).join(" "),
  ];
}

function valueAfter(command: readonly string[], flag: string): string | undefined {
  const index = command.indexOf(flag);
  return index === -1 ? undefined : command[index + 1];
}

/** For tmux, which hands a window's command to the shell. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
