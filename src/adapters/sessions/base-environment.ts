const KEPT = ["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ"];

/**
 * The minimal environment of a session: where programs, the home directory and temporary files are, and the language.
 * Nothing else of the daemon's own environment gets through (tokens, `TMUX`, agent sockets).
 */
export function baseEnvironment(from: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const base: Record<string, string> = { PATH: "/usr/local/bin:/usr/bin:/bin", SHELL: "/bin/sh" };
  for (const name of KEPT) {
    const value = from[name];
    if (value !== undefined && value !== "") base[name] = value;
  }
  // Without any locale programs fall back to ASCII and draw their screens with question marks.
  if (base["LANG"] === undefined && base["LC_ALL"] === undefined)
    base["LANG"] = process.platform === "darwin" ? "en_US.UTF-8" : "C.UTF-8";
  return base;
}
