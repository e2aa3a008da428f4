import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CommandContext } from "../context.ts";
import { CliError, EXIT, usageError } from "../exit-codes.ts";

/** Text of one manifest file as the `apply` verb takes it; the server parses it. */
interface ManifestText {
  /** As the user named it, for messages. */
  readonly path: string;
  readonly text: string;
}

const MANIFEST = /\.(?:ya?ml|json)$/;

/** Reads the files of `-f`: a file, every manifest in a directory in order of name, or stdin for `-`. Throws usage errors. */
export async function readManifests(
  paths: readonly string[],
  recursive: boolean,
  context: CommandContext,
): Promise<readonly ManifestText[]> {
  if (paths.length === 0) throw usageError("must specify -f FILE, -f DIR or -f -");
  const texts: ManifestText[] = [];
  for (const path of paths) {
    if (path === "-") texts.push({ path: "<stdin>", text: await context.streams.readStdin() });
    else
      for (const file of filesAt(path, recursive, context.cwd))
        texts.push({ path: file, text: readFileSync(resolve(context.cwd, file), "utf8") });
  }
  return texts;
}

function filesAt(path: string, recursive: boolean, cwd: string): readonly string[] {
  const stat = statSync(resolve(cwd, path), { throwIfNoEntry: false });
  if (stat === undefined) throw new CliError(EXIT.usage, "FileMissing", `the path "${path}" does not exist`);
  if (!stat.isDirectory()) return [path];
  const files = directoryFiles(path, recursive, cwd);
  if (files.length === 0)
    throw usageError(
      `${path} holds no .yaml, .yml or .json file`,
      recursive ? undefined : "-R also reads its subdirectories",
    );
  return files;
}

function directoryFiles(path: string, recursive: boolean, cwd: string): string[] {
  const entries = readdirSync(resolve(cwd, path), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const inner = join(path, entry.name);
    if (statSync(resolve(cwd, inner), { throwIfNoEntry: false })?.isDirectory() === true)
      return recursive && entry.name !== ".git" ? directoryFiles(inner, true, cwd) : [];
    return MANIFEST.test(entry.name) ? [inner] : [];
  });
}
