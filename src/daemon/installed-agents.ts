import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that agents run in, by the name of the Provider that comes with Town; the first one found is suggested. */
const AGENT_PROGRAMS: readonly (readonly [provider: string, program: string])[] = [
  ["claude", "claude"],
  ["codex", "codex"],
  ["gemini", "gemini"],
  ["opencode", "opencode"],
  ["cursor", "cursor-agent"],
  ["copilot", "copilot"],
  ["amp", "amp"],
];

export interface InstalledAgent {
  readonly provider: string;
  readonly program: string;
  /** Absolute. */
  readonly path: string;
}

/** Agent programs on a PATH, in the order of preference. Looks at files; starts nothing. */
export function installedAgents(path: string): readonly InstalledAgent[] {
  const directories = path.split(delimiter).filter((directory) => directory.startsWith("/"));
  return AGENT_PROGRAMS.flatMap(([provider, program]) => {
    const found = directories.map((directory) => join(directory, program)).find(isProgram);
    return found === undefined ? [] : [{ provider, program, path: found }];
  });
}

/** Whether a file can be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
