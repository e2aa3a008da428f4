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
  /** To be typed once the program takes input. */
  readonly firstInput?: string;
  /** Id that was chosen for, or is resumed by, the program's conversation. */
  readonly session?: string;
}

/** What a turn runner reads from the file it is started with. */
export interface TurnPlan {
  readonly format: 1;
  /** Command of the first turn, complete. */
  readonly first: readonly string[];
  /** Command of a further turn; `{session}` and `{prompt}` are filled in. Absent: each turn is a conversation of its own. */
  readonly next?: readonly string[];
  /** Command of a further turn when no session id is known; `{prompt}` is filled in. */
  readonly fresh: readonly string[];
  readonly session?: string;
  readonly sessionIdPattern?: string;
  readonly endsWithoutWork: boolean;
}

const PRIMED = "Begin. Your task came with the start of this session; `town prime` shows it again.";
const UNPRIMED = "Run `town prime` and do what it says.";
const RESUMED = "This session was interrupted and goes on now. Run `town prime` and do what it says.";

/**
 * How a program is started for an agent: arguments, environment, files, and what is typed first. The first prompt is
 * short and fixed: what to do comes through the program's own start hook, or through `town prime`.
 */
export function launch(input: LaunchInput): Launch {
  const { program } = input;
  const withHooks = program.hooks?.events.includes("SessionStart") === true;
  const text = input.resume !== undefined ? RESUMED : withHooks ? PRIMED : UNPRIMED;
  const headless = input.turnRunner === undefined ? undefined : program.headless;
  const prompt = input.hasWork && (headless !== undefined || program.prompt.mode !== "None") ? text : undefined;
  const chosen = chosenSession(input);
  const values: Record<string, string> = {
    prompt: text,
    promptFile: `${input.directory}/prompt.md`,
    session: chosen ?? "",
    model: input.model ?? program.model ?? "",
    effort: input.effort ?? program.effort ?? "",
    sandbox: input.sandbox,
    hooks: input.directory,
  };
  const command = program.command.flatMap((word) => input.shipped[/^\{(\w+)\}$/.exec(word)?.[1] ?? ""] ?? [word]);
  const settings = [
    ...program.autonomyArgs,
    ...(program.hooks?.args ?? []),
    ...(values["model"] === "" ? [] : program.modelArgs),
    ...(values["effort"] === "" ? [] : program.effortArgs),
  ];
  const shared = {
    env: Object.fromEntries((program.hooks?.env ?? []).map(({ name, value }) => [name, filled(value, values)])),
    ...(chosen === undefined ? {} : { session: chosen }),
  };
  const files = (program.hooks?.files ?? []).map((file) => ({
    path: `${input.directory}/${file.path}`,
    text: filled(file.text, values),
  }));
  const start = [...command, ...program.args, ...settings, ...sessionArgs(input)];
  if (headless !== undefined && input.turnRunner !== undefined) {
    const path = `${input.directory}/turns.json`;
    const turns = turnPlan(input, {
      headless,
      base: [...command, ...settings].map((word) => filled(word, values)),
      values,
    });
    return {
      ...shared,
      argv: [...input.turnRunner, path],
      files: [...files, { path, text: `${JSON.stringify(turns)}\n` }],
    };
  }
  const promptFile = { path: values["promptFile"] ?? "", text: `${text}\n` };
  return { ...shared, ...prompted({ start, prompt, program, files, promptFile, values }) };
}

/** A conversation to go on with, or an id that is chosen for a new one. */
function chosenSession({ program, resume, newSession }: LaunchInput): string | undefined {
  if (resume !== undefined && program.resume?.args !== undefined) return resume;
  return program.resume?.sessionIdArgs === undefined ? undefined : newSession;
}

function sessionArgs({ program, resume }: LaunchInput): readonly string[] {
  return (resume === undefined ? undefined : program.resume?.args) ?? program.resume?.sessionIdArgs ?? [];
}

function prompted(of: {
  readonly start: readonly string[];
  readonly prompt: string | undefined;
  readonly program: LaunchProgram;
  readonly files: readonly LaunchFile[];
  readonly promptFile: LaunchFile;
  readonly values: Readonly<Record<string, string>>;
}): Pick<Launch, "argv" | "files" | "firstInput"> {
  const { start, prompt, program, files, promptFile, values } = of;
  const fill = (words: readonly string[]): readonly string[] => words.map((word) => filled(word, values));
  if (prompt === undefined) return { argv: fill(start), files };
  switch (program.prompt.mode) {
    case "Argument":
      return { argv: fill([...start, ...program.prompt.args]), files };
    case "File":
      return { argv: fill([...start, ...program.prompt.args]), files: [...files, promptFile] };
    case "Stdin":
      return {
        argv: ["/bin/sh", "-c", 'exec "$@" <"$0"', promptFile.path, ...fill(start)],
        files: [...files, promptFile],
      };
    case "Paste":
      return { argv: fill(start), files, firstInput: prompt };
    case "None":
      return { argv: fill(start), files };
    default:
      return program.prompt.mode satisfies never;
  }
}

function turnPlan(
  input: LaunchInput,
  of: {
    readonly headless: NonNullable<LaunchProgram["headless"]>;
    readonly base: readonly string[];
    readonly values: Readonly<Record<string, string>>;
  },
): TurnPlan {
  const { headless, base, values } = of;
  const { prompt: text = "", session = "", ...settled } = values;
  const line = (args: readonly string[]): readonly string[] => [...base, ...args.map((word) => filled(word, settled))];
  const next = headless.resumeArgs === undefined ? undefined : line(headless.resumeArgs);
  const fresh = line(headless.args);
  const isResumed = input.resume !== undefined && next !== undefined;
  const idArgs = isResumed ? [] : (input.program.resume?.sessionIdArgs ?? []);
  const first = isResumed ? next : [...base, ...idArgs, ...headless.args.map((word) => filled(word, settled))];
  return {
    format: 1,
    first: first.map((word) => filled(word, { prompt: text, session })),
    fresh,
    ...(next === undefined ? {} : { next }),
    ...(session === "" ? {} : { session }),
    ...(headless.sessionIdPattern === undefined ? {} : { sessionIdPattern: headless.sessionIdPattern }),
    endsWithoutWork: input.endsWithoutWork,
  };
}

/** Puts values for names in braces; other braces (JSON, TOML) stay. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
