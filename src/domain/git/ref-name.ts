/**
 * Why `ref` is no full reference name that git accepts, or undefined when it is one. The rules are those of
 * `git check-ref-format` (https://git-scm.com/docs/git-check-ref-format), and it must start with `refs/`.
 */
export function refNameProblem(ref: string): string | undefined {
  if (!ref.startsWith("refs/")) return "must start with 'refs/'";
  for (const [pattern, problem] of rules) if (pattern.test(ref)) return problem;
  return undefined;
}

const rules: readonly (readonly [RegExp, string])[] = [
  // oxlint-disable-next-line no-control-regex
  [/[\0-\x20\x7f~^:?*[\\]/, "must not contain spaces, control characters or any of ~ ^ : ? * [ \\"],
  [/\.\.|@\{|\/\/|\/\./, "must not contain '..', '@{', '//' or a component that starts with '.'"],
  [/\.lock(\/|$)/, "must not have a component that ends with '.lock'"],
  [/[/.]$/, "must not end with '/' or '.'"],
];

/** `main` and `refs/heads/main` both name the branch `refs/heads/main`. */
export function branchRef(branch: string): string {
  return branch.startsWith("refs/heads/") ? branch : `refs/heads/${branch}`;
}

/** `refs/heads/main` is the branch `main`; other names stay as they are. */
export function branchName(ref: string): string {
  return ref.startsWith("refs/heads/") ? ref.slice("refs/heads/".length) : ref;
}
