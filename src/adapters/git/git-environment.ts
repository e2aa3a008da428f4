/**
 * What the environment of every git call is made of. Variables that would aim git at another repository, index or
 * identity (`town` may run inside a git hook) are dropped; how to reach remotes and which config files count is kept.
 */
export function gitEnvironment(inherited: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [key, value] of Object.entries(inherited)) {
    if (value !== undefined && (!key.startsWith("GIT_") || keptVariables.test(key))) environment[key] = value;
  }
  return {
    ...environment,
    // Messages are read here, so they must be in one language.
    LC_ALL: "C",
    LANGUAGE: "",
    GIT_TERMINAL_PROMPT: "0",
    // Reading a status must not take the index lock from the person or agent who works there.
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
  };
}

const keptVariables =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|PROXY_COMMAND|SSL_\w+|EXEC_PATH|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+))$/;

/**
 * Options before every subcommand: nothing of the repository is run, nothing tidies up behind our back, and what a
 * command writes is on disk before it names it (`core.fsync` adds to git's default, which leaves out loose objects and refs).
 */
export const gitOptions: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "core.fsync=objects,reference",
  "submodule.recurse=false",
  "commit.gpgSign=false",
  "push.gpgSign=false",
  "push.followTags=false",
  "core.splitIndex=false",
].flatMap((setting) => ["-c", setting]);

/** Passwords and tokens in URLs do not belong into messages and logs. */
export function withoutCredentials(text: string): string {
  return text.replace(/(https?:\/\/)[^/@\s]+@/g, "$1***@").replace(/(\w:\/\/[^/@\s:]+):[^/@\s]+@/g, "$1:***@");
}
