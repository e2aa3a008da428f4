const LONGEST = 200;

/**
 * Why a session name cannot be used, or undefined when it can. Names become tmux session names (where `.` and `:` are
 * target syntax and silently turned into `_`, and a leading `$`, `@`, `%`, `=` or `-` means something else) and file
 * names: so 1 to 200 of letters, digits, `-` and `_`, beginning with a letter or digit.
 */
export function sessionNameProblem(name: string): string | undefined {
  if (name === "") return "must not be empty";
  if (name.length > LONGEST) return `must not be longer than ${LONGEST} characters`;
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(name)) {
    return "must begin with a letter or digit and consist of letters, digits, '-' and '_'";
  }
  return undefined;
}
