import type { Stats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { readTextFile, unlessMissing } from "./disk.ts";
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
export async function discoverPlain(
  place: string,
  globalConfig: readonly string[] | undefined,
): Promise<Discovered | undefined> {
  const start = await unlessMissing(stat(place));
  if (start?.isDirectory() !== true) return undefined;
  for (let directory = place; ; directory = dirname(directory)) {
    const here = directory === place ? start : await unlessMissing(stat(directory));
    // git does not look beyond a file system by itself.
    if (here === undefined || here.dev !== start.dev) return undefined;
    const marker = join(directory, ".git");
    const found = await unlessMissing(stat(marker));
    if (found !== undefined) return isOwn(here) && isOwn(found) ? checkoutAt(directory, marker, found) : undefined;
    if (await looksBare(directory)) return isOwn(here) ? bareAt(directory, globalConfig) : undefined;
    if (dirname(directory) === directory) return undefined;
  }
}

/** git trusts nobody else's repositories, apart from exceptions that it knows itself. */
function isOwn({ uid }: Stats): boolean {
  return uid === process.geteuid?.();
}

async function checkoutAt(directory: string, marker: string, found: Stats): Promise<Discovered | undefined> {
  const link = found.isDirectory() ? undefined : /^gitdir: (.+)\n?$/.exec((await readTextFile(marker)) ?? "")?.[1];
  if (!found.isDirectory() && link === undefined) return undefined;
  const gitDirectory = await unlessMissing(realpath(link === undefined ? marker : resolve(directory, link)));
  if (gitDirectory === undefined || !isOwn(await stat(gitDirectory))) return undefined;
  const common = (await readTextFile(join(gitDirectory, "commondir")))?.trim();
  const commonDirectory =
    common === undefined ? gitDirectory : await unlessMissing(realpath(resolve(gitDirectory, common)));
  if (commonDirectory === undefined) return undefined;
  const format = await formatOf(gitDirectory, commonDirectory);
  if (format === undefined || (format.isBare && gitDirectory === commonDirectory)) return undefined;
  return { path: directory, commonDirectory, gitDirectory, hash: format.hash, isPlain: true };
}

async function bareAt(directory: string, globalConfig: readonly string[] | undefined): Promise<Discovered | undefined> {
  // Whoever has set this wants bare repositories to be named, not found.
  const settings = globalConfig === undefined ? undefined : await mergedPlainConfig(globalConfig);
  if (settings === undefined || settings.has("safe.barerepository")) return undefined;
  const format = await formatOf(directory, directory);
  // Else it is the inside of a checkout's own git directory.
  if (format?.isBare !== true || (await unlessMissing(stat(join(directory, "commondir")))) !== undefined)
    return undefined;
  return { path: directory, commonDirectory: directory, gitDirectory: directory, hash: format.hash, isPlain: true };
}

async function looksBare(directory: string): Promise<boolean> {
  return (await unlessMissing(stat(join(directory, "HEAD")))) !== undefined;
}

const headText = /^(ref: refs\/\S+|[0-9a-f]{40}|[0-9a-f]{64})\n$/;

interface Format {
  readonly isBare: boolean;
  readonly hash: "sha1" | "sha256";
}

/** Undefined where something is not as in almost every repository. */
async function formatOf(gitDirectory: string, commonDirectory: string): Promise<Format | undefined> {
  const parts = await Promise.all(["objects", "refs"].map((name) => unlessMissing(stat(join(commonDirectory, name)))));
  if (parts.some((part) => part?.isDirectory() !== true)) return undefined;
  if (!headText.test((await readTextFile(join(gitDirectory, "HEAD"))) ?? "")) return undefined;
  const config = await readPlainConfig(join(commonDirectory, "config"));
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
