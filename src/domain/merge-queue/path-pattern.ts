const SPECIAL = /[.+^${}()|[\]\\]/g;

/**
 * Whether a path matches a pattern, as in git's ignore files from the root: `*` and `?` stay within a name, `**` crosses
 * directories, and a pattern that names a directory (`docs/`) matches everything in it.
 */
export function matchesPath(pattern: string, path: string): boolean {
  const whole = pattern.endsWith("/") ? `${pattern}**` : pattern;
  const source = whole
    .split("/")
    .map((part, index, parts) =>
      part === "**"
        ? index === parts.length - 1
          ? ".+"
          : "(?:.+/)?"
        : `${name(part)}${index === parts.length - 1 ? "" : "/"}`,
    )
    .join("");
  return new RegExp(`^${source}$`).test(path);
}

function name(part: string): string {
  return part.replace(SPECIAL, "\\$&").replaceAll("*", "[^/]*").replaceAll("?", "[^/]");
}
