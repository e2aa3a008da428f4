import { shellWord } from "./shell-text.ts";

export interface ShimInput {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Complete environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the exit code is left, as `<code>\n`. */
  readonly exitPath: string;
  /** Command that takes the program's output on its stdin; absent: the program has the terminal itself. */
  readonly outputTo?: readonly string[];
}

/**
 * The program of a session's first process, for `/bin/sh`: sets the environment, runs the program in a subshell that
 * leaves its exit code in a file, and exits with it. The environment is inside this file (mode 0600) so that it never
 * shows in a process list. The exit file is how an exit is noticed without polling, by a controller that need not run
 * at that moment.
 *
 * Signals are caught, not ignored: a caught signal is back to its default in the program, and the subshell outlives it
 * to report. The first process does not catch SIGHUP: a lost terminal hangs up only the leader, and its death is what
 * hangs up the program.
 */
export function shimScript(input: ShimInput): string {
  const program = input.argv.map(shellWord).join(" ");
  const report = `printf '%s\\n' "$code" >${shellWord(input.exitPath)}`;
  const reported = `( trap : HUP INT QUIT TERM; ${program}; code=$?; ${report}; exit "$code" )`;
  return [
    "# Town session shim, format 1",
    ...Object.entries(input.env).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    `cd ${shellWord(input.cwd)} || { code=72; ${report}; exit 72; }`,
    // Not before: a signal that comes while there is no program yet must end the shim, not be swallowed.
    "trap : INT QUIT TERM",
    input.outputTo === undefined ? reported : `${reported} 2>&1 | ${input.outputTo.map(shellWord).join(" ")}`,
    "exit $?",
    "",
  ].join("\n");
}
