import { existsSync } from "node:fs";
import { join } from "node:path";
import { textAt } from "./at-once.ts";

/** Values by key (section and name in lower case, `section.sub.name`); null: written in a way that only git reads right. */
export type PlainConfig = ReadonlyMap<string, readonly (string | null)[]>;

const sectionLine = /^\[\s*([A-Za-z0-9.-]+)(?:\s+"([^"\\]*)")?\s*\]$/;
const entryLine = /^([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?$/;

/**
 * A git config file as far as it is plain; undefined when git must be asked, as for one that includes others (git-config(1),
 * "Syntax"). A missing file is empty.
 */
export function readPlainConfig(path: string): PlainConfig | undefined {
  return parsePlainConfig(textAt(path) ?? "");
}

export function parsePlainConfig(text: string): PlainConfig | undefined {
  const values = new Map<string, (string | null)[]>();
  let section = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    // A value that goes on in the next line, or a section with something behind it.
    if (line.endsWith("\\")) return undefined;
    const head = sectionLine.exec(line);
    const entry = head === null ? entryLine.exec(line) : null;
    if (head !== null)
      section = head[2] === undefined ? (head[1] ?? "").toLowerCase() : `${head[1]?.toLowerCase()}.${head[2]}`;
    else if (entry === null) return undefined;
    else keep(values, `${section}.${entry[1]?.toLowerCase()}`, plainValue(entry[2]));
    if (/^include(if)?(\.|$)/.test(section)) return undefined;
  }
  return values;
}

function keep(values: Map<string, (string | null)[]>, key: string, value: string | null): void {
  const known = values.get(key);
  if (known === undefined) values.set(key, [value]);
  else known.push(value);
}

// Quotes, escapes and comments behind a value, and a key alone (true), are git's business.
function plainValue(text: string | undefined): string | null {
  return text === undefined || /["\\#;]/.test(text) ? null : text;
}

/**
 * The config files that apply to every repository, the last counts most; undefined when only git knows them: where its
 * system-wide file is depends on how it was built.
 */
export function globalConfigFiles(
  env: Readonly<Record<string, string | undefined>>,
  program = "git",
): readonly string[] | undefined {
  const { HOME: home, XDG_CONFIG_HOME: xdg, PATH: path = "", GIT_CONFIG_NOSYSTEM: noSystem } = env;
  if (home === undefined || Object.keys(env).some((key) => /^GIT_CONFIG_(SYSTEM|COUNT)$/.test(key))) return undefined;
  const isUsual = program === "git" && firstOnPath(path, "git") === "/usr/bin/git" && process.platform === "linux";
  if (noSystem === undefined && !isUsual) return undefined;
  if (noSystem !== undefined && !/^(1|true)$/.test(noSystem)) return undefined;
  const system = noSystem === undefined ? ["/etc/gitconfig"] : [];
  const global = env["GIT_CONFIG_GLOBAL"];
  if (global !== undefined) return [...system, global];
  return [
    ...system,
    join(xdg === undefined || xdg === "" ? join(home, ".config") : xdg, "git", "config"),
    join(home, ".gitconfig"),
  ];
}

function firstOnPath(path: string, program: string): string | undefined {
  return path
    .split(":")
    .filter((directory) => directory !== "")
    .map((directory) => join(directory, program))
    .find((candidate) => existsSync(candidate));
}

/** What some files together say; undefined when git must be asked. */
export function mergedPlainConfig(paths: readonly string[]): PlainConfig | undefined {
  const merged = new Map<string, (string | null)[]>();
  for (const path of paths) {
    const config = readPlainConfig(path);
    if (config === undefined) return undefined;
    for (const [key, values] of config) for (const value of values) keep(merged, key, value);
  }
  return merged;
}
