import type { Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { realPathAt, statAt, textAt } from "./at-once.ts";
import type { PlainConfig } from "./plain-config.ts";
import { mergedPlainConfig, readPlainConfig } from "./plain-config.ts";

/** Where a repository is; all paths canonical. */
export interface Discovered {
  /** Top of the checkout; the git directory of a bare repository. */
  readonly path: string;
  readonly commonDirectory: string;
  readonly gitDirectory: string;
  readonly hash: "sha1" | "sha256";
  /** Refs are files below the common directory (and `packed-refs`). */
  readonly isPlain: boolean;
}

/**
 * What git would say of the repository around a directory (canonical), read from its files: three processes less for a
 * command that only looks. Undefined whenever git might say something else, or nothing is found; then git is asked. Not
 * looked at are variables that aim git elsewhere: no git process here gets them. `globalConfig`: files of settings for all
 * repositories, where they are known.
 */
export function discoverPlain(place: string, globalConfig: readonly string[] | undefined): Discovered | undefined {
  const start = statAt(place);
  if (start?.isDirectory() !== true) return undefined;
  for (let directory = place; ; directory = dirname(directory)) {
    const here = directory === place ? start : statAt(directory);
    // git does not look beyond a file system by itself.
    if (here === undefined || here.dev !== start.dev) return undefined;
    const marker = join(directory, ".git");
    const found = statAt(marker);
    if (found !== undefined) return isOwn(here) && isOwn(found) ? checkoutAt(directory, marker, found) : undefined;
    if (looksBare(directory)) return isOwn(here) ? bareAt(directory, globalConfig) : undefined;
    if (dirname(directory) === directory) return undefined;
  }
}

function isOwnAt(path: string): boolean {
  const found = statAt(path);
  return found !== undefined && isOwn(found);
}

/** git trusts nobody else's repositories, apart from exceptions that it knows itself. */
function isOwn({ uid }: Stats): boolean {
  return uid === process.geteuid?.();
}

function checkoutAt(directory: string, marker: string, found: Stats): Discovered | undefined {
  const link = found.isDirectory() ? undefined : /^gitdir: (.+)\n?$/.exec(textAt(marker) ?? "")?.[1];
  if (!found.isDirectory() && link === undefined) return undefined;
  const gitDirectory = realPathAt(link === undefined ? marker : resolve(directory, link));
  if (gitDirectory === undefined || !isOwnAt(gitDirectory)) return undefined;
  const common = textAt(join(gitDirectory, "commondir"))?.trim();
  const commonDirectory = common === undefined ? gitDirectory : realPathAt(resolve(gitDirectory, common));
  if (commonDirectory === undefined) return undefined;
  const format = formatOf(gitDirectory, commonDirectory);
  if (format === undefined || (format.isBare && gitDirectory === commonDirectory)) return undefined;
  return { path: directory, commonDirectory, gitDirectory, hash: format.hash, isPlain: true };
}

function bareAt(directory: string, globalConfig: readonly string[] | undefined): Discovered | undefined {
  // Whoever has set this wants bare repositories to be named, not found.
  const settings = globalConfig === undefined ? undefined : mergedPlainConfig(globalConfig);
  if (settings === undefined || settings.has("safe.barerepository")) return undefined;
  const format = formatOf(directory, directory);
  // Else it is the inside of a checkout's own git directory.
  if (format?.isBare !== true || statAt(join(directory, "commondir")) !== undefined) return undefined;
  return { path: directory, commonDirectory: directory, gitDirectory: directory, hash: format.hash, isPlain: true };
}

function looksBare(directory: string): boolean {
  return statAt(join(directory, "HEAD")) !== undefined;
}

const headText = /^(ref: refs\/\S+|[0-9a-f]{40}|[0-9a-f]{64})\n$/;

interface Format {
  readonly isBare: boolean;
  readonly hash: "sha1" | "sha256";
}

/** Undefined where something is not as in almost every repository. */
function formatOf(gitDirectory: string, commonDirectory: string): Format | undefined {
  const parts = ["objects", "refs"].map((name) => statAt(join(commonDirectory, name)));
  if (parts.some((part) => part?.isDirectory() !== true)) return undefined;
  if (!headText.test(textAt(join(gitDirectory, "HEAD")) ?? "")) return undefined;
  const config = readPlainConfig(join(commonDirectory, "config"));
  return config === undefined ? undefined : formatIn(config);
}

function formatIn(config: PlainConfig): Format | undefined {
  const last = (key: string): string | null | undefined => config.get(key)?.at(-1);
  const hash = last("extensions.objectformat") ?? "sha1";
  const version = last("core.repositoryformatversion") ?? "0";
  const bare = last("core.bare");
  const extensions = [...config.keys()].filter((key) => key.startsWith("extensions."));
  const isKnown =
    extensions.every((key) => key === "extensions.objectformat") && (extensions.length === 0 || version === "1");
  if (!isKnown || config.has("core.worktree") || !["0", "1"].includes(version)) return undefined;
  if ((hash !== "sha1" && hash !== "sha256") || (bare !== undefined && bare !== "true" && bare !== "false"))
    return undefined;
  return { isBare: bare === "true", hash };
}
