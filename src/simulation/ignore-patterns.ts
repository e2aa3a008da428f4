/**
 * Reads the lines of `.gitignore` or `info/exclude`: names, `*` and `?`, `**`, a leading or inner `/` that anchors, a
 * trailing `/` for directories, `!` that takes back. The predicate gets a path from the file's directory.
 */
export function ignorePatterns(text: string): (path: string) => boolean {
  const rules = text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(ruleOf);
  return (path) => {
    let ignored = false;
    for (const { keep, pattern } of rules) if (pattern.test(path)) ignored = !keep;
    return ignored;
  };
}

function ruleOf(line: string): { readonly keep: boolean; readonly pattern: RegExp } {
  const keep = line.startsWith("!");
  const body = keep ? line.slice(1) : line;
  const onlyDirectories = body.endsWith("/");
  const name = onlyDirectories ? body.slice(0, -1) : body;
  const anchored = name.includes("/");
  const glob = name
    .replace(/^\//, "")
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => wildcards[part] ?? part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("");
  return { keep, pattern: new RegExp(`${anchored ? "^" : "(?:^|/)"}${glob}${onlyDirectories ? "/" : "(?:/|$)"}`) };
}

const wildcards: Readonly<Record<string, string>> = { "**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
