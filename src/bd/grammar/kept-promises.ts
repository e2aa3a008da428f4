/** Switches of other bd versions that ask for what is always so here. Lines with them run; they change nothing. */
const everywhere: ReadonlySet<string> = new Set([
  "allow-stale",
  "no-auto-flush",
  "no-auto-import",
  "no-daemon",
  "no-pager",
  "plain",
  "sandbox",
]);

const ofCommand: Readonly<Record<string, ReadonlySet<string>>> = {
  create: new Set(["no-inherit-labels"]),
  history: new Set(["events"]),
  init: new Set(["non-interactive", "skip-agents", "skip-hooks", "stealth"]),
  prime: new Set(["export", "full", "mcp", "stealth"]),
  show: new Set(["include-comments", "include-dependents", "long"]),
  stats: new Set(["all"]),
  sync: new Set(["full"]),
  update: new Set(["allow-empty-description"]),
};

/** Whether a command does by itself what this switch of another bd version asks for. */
export function isKeptPromise(command: string, name: string): boolean {
  const own = Object.hasOwn(ofCommand, command) ? ofCommand[command] : undefined;
  return everywhere.has(name) || own?.has(name) === true;
}
