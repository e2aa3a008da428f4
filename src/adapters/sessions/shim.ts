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
 * The program of a session's first process, for `/bin/sh`: sets the environment, runs the program, leaves its exit code
 * in a file and exits with it. The environment is inside this file (mode 0600) so that it never shows in a process list.
 *
 * Signals are caught, not ignored: a caught signal is back to its default in the program, and the shim outlives it to
 * report. The file is how an exit is noticed without polling, by a controller that need not run at that moment.
 */
export function shimScript(input: ShimInput): string {
  const program = input.argv.map(shellWord).join(" ");
  const report = `printf '%s\\n' "$code" >${shellWord(input.exitPath)}`;
  const lines = [
    "# Town session shim, format 1",
    ...Object.entries(input.env).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    `cd ${shellWord(input.cwd)} || { code=72; ${report}; exit 72; }`,
  ];
  // Not before: a signal that comes while there is no program yet must end the shim, not be swallowed.
  const trap = "trap : HUP INT QUIT TERM";
  if (input.outputTo === undefined) return [...lines, trap, program, "code=$?", report, 'exit "$code"', ""].join("\n");
  return [
    ...lines,
    `{ trap : HUP INT QUIT TERM; ${program}; code=$?; ${report}; } 2>&1 | ${input.outputTo.map(shellWord).join(" ")}`,
    "",
  ].join("\n");
}
