import { type CommandContext, type CommandInput, textFlag } from "../context.ts";
import { callAgain } from "../verbs/call-again.ts";
import { printResult } from "../verbs/call-verb.ts";

interface Taken {
  /** Its identity. */
  readonly agent: string;
  readonly env: Readonly<Record<string, string>>;
  /** Directory of the programs that agents use. */
  readonly programs: string;
  readonly sandbox: string;
}

/**
 * `join [AGENT]` prints the environment to take; `join AGENT -- PROGRAM …` runs the program in it, in the agent's
 * worktree, and leaves when it ends.
 */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const [agent, ...program] = input.args;
  const flags = Object.fromEntries(
    ["rig", "role"].flatMap((name) => {
      const value = textFlag(input, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const who = agent === undefined ? {} : { agent };
  const switches = {
    ...(input.flags["leave"] === true ? { leave: true } : {}),
    ...(input.flags["force"] === true ? { force: true } : {}),
  };
  const result = await callAgain(context, "join", { ...who, ...flags, ...switches });
  if (program.length === 0) return printResult(result, context.streams, { format: textFlag(input, "output") });
  const { agent: taken, env, programs, sandbox } = result.data as Taken;
  const PATH = `${programs}:${context.env["PATH"] ?? ""}`;
  const code = await context.programs.run(program, { cwd: sandbox, env: { ...context.env, ...env, PATH } });
  // The interruption that ended the program does not keep it from leaving.
  const unhurried = { ...context, signal: new AbortController().signal };
  const left = await callAgain(unhurried, "join", { agent: taken, leave: true });
  context.streams.err(`${left.text}\n`);
  return code;
}
