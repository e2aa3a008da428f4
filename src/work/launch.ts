import { PRIMED, RESUMED, UNPRIMED } from "../domain/agent-program/town-prompts.ts";
import { durationMs } from "../resource/field.ts";

/** What a launch needs of a Provider's spec. */
export interface LaunchProgram {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly autonomyArgs: readonly string[];
  readonly model?: string | undefined;
  readonly modelArgs: readonly string[];
  readonly effort?: string | undefined;
  readonly effortArgs: readonly string[];
  readonly prompt: {
    readonly mode: "None" | "Argument" | "Stdin" | "Paste" | "File";
    readonly args: readonly string[];
  };
  readonly resume?:
    | { readonly args?: readonly string[] | undefined; readonly sessionIdArgs?: readonly string[] | undefined }
    | undefined;
  readonly headless?:
    | {
        readonly args: readonly string[];
        readonly resumeArgs?: readonly string[] | undefined;
        readonly sessionIdPattern?: string | undefined;
        /** Go duration. */
        readonly turnLimit: string;
      }
    | undefined;
  readonly hooks?:
    | {
        readonly events: readonly string[];
        readonly files: readonly LaunchFile[];
        readonly args: readonly string[];
        readonly env: readonly { readonly name: string; readonly value: string }[];
      }
    | undefined;
}

export interface LaunchFile {
  /** Absolute in a Launch, relative to the session's own directory in a Provider. */
  readonly path: string;
  readonly text: string;
}

export interface LaunchInput {
  readonly program: LaunchProgram;
  /** The agent's own wishes, over the provider's. */
  readonly model?: string | undefined;
  readonly effort?: string | undefined;
  /** Worktree that the program runs in. */
  readonly sandbox: string;
  /** Directory of the session's own, outside of the worktree. */
  readonly directory: string;
  /** Whether there is something to do at once; an idle program is told later. */
  readonly hasWork: boolean;
  /** Id of the program's own conversation to go on with. */
  readonly resume: string | undefined;
  /** A fresh UUID, for programs that let it be chosen. */
  readonly newSession: string;
  /** Put for a word of the command that is such a name in braces: programs that come with Town. */
  readonly shipped: Readonly<Record<string, readonly string[]>>;
  /** Program that runs one turn after the other where there is no terminal; undefined at a terminal. */
  readonly turnRunner: readonly string[] | undefined;
  /** Whether the session ends when there is nothing on its hook. */
  readonly endsWithoutWork: boolean;
}

export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** To be written, readable by this user alone, before the start. */
  readonly files: readonly LaunchFile[];
  /** Id that was chosen for, or is resumed by, the program's conversation. */
  readonly session?: string;
}

/** What a turn runner reads from the file it is started with. */
export interface TurnPlan {
  readonly format: 1;
  /** What the first turn is told; absent: it is told what there is to do by then. */
  readonly prompt?: string;
  /** Command of the first turn; `{prompt}` is filled in. */
  readonly first: readonly string[];
  /** Command of a further turn; `{session}` and `{prompt}` are filled in. Absent: each turn is a conversation of its own. */
  readonly next?: readonly string[];
  /** Command of a further turn when no session id is known; `{prompt}` is filled in. */
  readonly fresh: readonly string[];
  readonly session?: string;
  readonly sessionIdPattern?: string;
  readonly endsWithoutWork: boolean;
  /** A turn that takes longer is ended. */
  readonly limitMs: number;
}

export const DEFAULT_TURN_LIMIT = "2h";

/** How a program is started for an agent: arguments, environment and files. */
export function launch(input: LaunchInput): Launch {
  const { program } = input;
  const values = valuesOf(input);
  const told = { ...values, prompt: input.hasWork ? values.prompt : "" };
  const files = (program.hooks?.files ?? []).map((file) => ({
    path: `${input.directory}/${file.path}`,
    text: filled(file.text, told),
  }));
  const shared = {
    env: Object.fromEntries((program.hooks?.env ?? []).map(({ name, value }) => [name, filled(value, values)])),
    ...(values.session === "" ? {} : { session: values.session }),
  };
  const headless = input.turnRunner === undefined ? undefined : program.headless;
  return { ...shared, ...(headless === undefined ? atTerminal(input, values, files) : inTurns(input, values, files)) };
}

/** What stands for the names in braces. */
type Values = Readonly<Record<"prompt" | "promptFile" | "session" | "model" | "effort" | "sandbox" | "hooks", string>>;

function valuesOf(input: LaunchInput): Values {
  const { program, resume } = input;
  const isPrimed = program.hooks?.events.includes("SessionStart") === true;
  return {
    prompt: resume !== undefined ? RESUMED : isPrimed ? PRIMED : UNPRIMED,
    promptFile: `${input.directory}/prompt.md`,
    session: chosenSession(input) ?? "",
    model: input.model ?? program.model ?? "",
    effort: input.effort ?? program.effort ?? "",
    sandbox: input.sandbox,
    hooks: input.directory,
  };
}

/** Program and settings, before what makes it begin or go on. */
function baseOf({ program, shipped }: LaunchInput, args: readonly string[], values: Values): readonly string[] {
  return [
    ...program.command.flatMap((word) => shipped[/^\{(\w+)\}$/.exec(word)?.[1] ?? ""] ?? [word]),
    ...args,
    ...program.autonomyArgs,
    ...(program.hooks?.args ?? []),
    ...(values.model === "" ? [] : program.modelArgs),
    ...(values.effort === "" ? [] : program.effortArgs),
  ].map((word) => filled(word, values));
}

type Started = Pick<Launch, "argv" | "files">;

function atTerminal(input: LaunchInput, values: Values, files: readonly LaunchFile[]): Started {
  const { program } = input;
  const fill = (words: readonly string[]): readonly string[] => words.map((word) => filled(word, values));
  const start = [...baseOf(input, program.args, values), ...fill(sessionArgs(input))];
  const promptFile = { path: values.promptFile, text: `${values.prompt}\n` };
  const mode = input.hasWork ? program.prompt.mode : "None";
  switch (mode) {
    case "Argument":
      return { argv: [...start, ...fill(program.prompt.args)], files };
    case "File":
      return { argv: [...start, ...fill(program.prompt.args)], files: [...files, promptFile] };
    case "Stdin":
      return { argv: ["/bin/sh", "-c", 'exec "$@" <"$0"', promptFile.path, ...start], files: [...files, promptFile] };
    // Typed by the hooks loop, as every doorbell.
    case "Paste":
    case "None":
      return { argv: start, files };
    default:
      return mode satisfies never;
  }
}

/** One turn after the other, by a runner that reads the plan. */
function inTurns(input: LaunchInput, values: Values, files: readonly LaunchFile[]): Started {
  const { headless, resume } = input.program;
  const { prompt, session, ...settled } = values;
  const base = baseOf(input, [], values);
  const line = (args: readonly string[] = []): readonly string[] => [
    ...base,
    ...args.map((word) => filled(word, settled)),
  ];
  const next = headless?.resumeArgs === undefined ? undefined : line(headless.resumeArgs);
  const isResumed = input.resume !== undefined && next !== undefined;
  const first = isResumed ? next : line([...(resume?.sessionIdArgs ?? []), ...(headless?.args ?? [])]);
  const plan: TurnPlan = {
    format: 1,
    ...(input.hasWork ? { prompt } : {}),
    first: first.map((word) => filled(word, { session })),
    fresh: line(headless?.args),
    ...(next === undefined ? {} : { next }),
    ...(session === "" ? {} : { session }),
    ...(headless?.sessionIdPattern === undefined ? {} : { sessionIdPattern: headless.sessionIdPattern }),
    endsWithoutWork: input.endsWithoutWork,
    limitMs: durationMs(headless?.turnLimit ?? DEFAULT_TURN_LIMIT),
  };
  const path = `${input.directory}/turns.json`;
  return {
    argv: [...(input.turnRunner ?? []), path],
    files: [...files, { path, text: `${JSON.stringify(plan)}\n` }],
  };
}

/** A conversation to go on with, or an id that is chosen for a new one. */
function chosenSession({ program, resume, newSession }: LaunchInput): string | undefined {
  if (resume !== undefined && program.resume?.args !== undefined) return resume;
  return program.resume?.sessionIdArgs === undefined ? undefined : newSession;
}

function sessionArgs({ program, resume }: LaunchInput): readonly string[] {
  return (resume === undefined ? undefined : program.resume?.args) ?? program.resume?.sessionIdArgs ?? [];
}

/** Puts values for names in braces; other braces (JSON, TOML) stay. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
