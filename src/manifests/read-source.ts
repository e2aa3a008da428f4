import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import { TerminalError } from "../errors/town-error.ts";
import { filesOfTree } from "./git-tree.ts";
import { MAX_FILE_SIZE, fileProblem } from "./load-file.ts";
import type { LoadContext, SourceFile } from "./load-file.ts";
import { loadSource } from "./load-source.ts";
import type { LoadedSource } from "./load-source.ts";
import { ParseCache } from "./parse-cache.ts";
import type { Problem } from "./problem.ts";

/** Directory of manifests in the town's repository. */
export const MANIFESTS = "manifests";

export interface ReadOptions extends LoadContext {
  /** Directory below the root that holds the manifests; "" is the root. Default `manifests`. */
  readonly directory?: string;
  readonly cache?: ParseCache;
}

/**
 * What a source declares at a commit. Blobs whose content the cache knows are not read. Throws TerminalError
 * `RevisionMissing`, and AdapterError when git fails.
 */
export async function readSourceAtCommit(
  repository: Repository,
  revision: string,
  options: ReadOptions,
): Promise<LoadedSource & { readonly revision: string }> {
  const commit = await repository.resolve(revision);
  if (commit === undefined) {
    throw new TerminalError(
      "RevisionMissing",
      `Cannot read manifests: ${repository.path} has no revision '${revision}'.`,
      { hint: "See `git log` and `git branch -a` for what there is." },
    );
  }
  const cache = options.cache ?? new ParseCache();
  const tree = (await repository.objects.readCommit(commit))?.tree ?? repository.objects.emptyTree;
  const listed = (await filesOfTree(repository.objects, tree, options.directory ?? MANIFESTS, cache.trees)).filter(
    (file) => isManifestPath(file.path),
  );
  const unreadable = listed
    .filter((file) => !isRegular(file.mode))
    .map((file) => notRegular(file.path, file.mode === "120000"));
  const regular = listed
    .filter((file) => isRegular(file.mode))
    .map(({ path, id }) => ({ path, id, known: cache.find(path, id, options) }));
  const texts = await repository.objects.readBlobs(
    regular.filter(({ known }) => known === undefined).map(({ id }) => id),
  );
  const files: SourceFile[] = regular.map(({ path, id, known }) => ({
    path,
    content: id,
    known,
    text: () => textOf(texts, id, path, repository.path),
  }));
  return { ...loadSource(files, options, { cache, unreadable }), revision: commit };
}

function textOf(texts: ReadonlyMap<string, string>, id: string, path: string, repository: string): string {
  const text = texts.get(id);
  if (text === undefined)
    throw new TerminalError("BlobMissing", `Cannot read ${path}: ${repository} has no blob ${id}.`, {
      hint: "Run `git fsck` there; a partial clone needs its remote.",
    });
  return text;
}

/** A file caught while an editor writes it is read again after this long before it counts as broken. */
const REREAD_MS = 50;

/**
 * What a source declares as saved on disk below `root`. Files that do not parse are read a second time, since an editor
 * may be in the middle of writing. Symbolic links are not followed.
 */
export async function readSourceOnDisk(
  files: Files,
  clock: Clock,
  root: string,
  options: ReadOptions,
): Promise<LoadedSource> {
  const cache = options.cache ?? new ParseCache();
  const directory = options.directory ?? MANIFESTS;
  const found = await filesBelow(files, root, directory, 0);
  const sources = new Map<string, SourceFile>();
  const read = async (path: string): Promise<void> => {
    const text = await files.readText(`${root}/${path}`);
    if (text === undefined) sources.delete(path);
    else sources.set(path, { path, content: text, text: () => text });
  };
  await Promise.all(found.paths.map(read));
  const first = loadSource([...sources.values()], options, { cache, unreadable: found.unreadable });
  const broken = new Set(
    first.problems.filter((problem) => HALF_WRITTEN.has(problem.reason)).map((problem) => problem.path),
  );
  if (broken.size === 0) return first;
  await clock.sleep(REREAD_MS);
  await Promise.all([...broken].filter((path) => sources.has(path)).map(read));
  return loadSource([...sources.values()], options, { cache, unreadable: found.unreadable });
}

/** What the beginning of a file, or one with NULs where blocks are not written yet, is refused for. */
const HALF_WRITTEN: ReadonlySet<string> = new Set([
  "YamlInvalid",
  "FileNotText",
  "KindMissing",
  "FieldMissing",
  "DocumentNotMapping",
]);

interface Found {
  readonly paths: readonly string[];
  readonly unreadable: readonly Problem[];
}

const MAX_DEPTH = 32;

async function filesBelow(files: Files, root: string, directory: string, depth: number): Promise<Found> {
  const names = (await files.list(directory === "" ? root : `${root}/${directory}`)).filter(
    (name) => !name.startsWith("."),
  );
  if (depth > MAX_DEPTH)
    return {
      paths: [],
      unreadable: [
        fileProblem(
          directory,
          "DirectoryTooDeep",
          `the directory is more than ${MAX_DEPTH} levels deep`,
          "Move the manifests up.",
        ),
      ],
    };
  const found = await Promise.all(
    names.map((name) => fileOrDirectory(files, root, directory === "" ? name : `${directory}/${name}`, depth)),
  );
  return { paths: found.flatMap((each) => each.paths), unreadable: found.flatMap((each) => each.unreadable) };
}

async function fileOrDirectory(files: Files, root: string, path: string, depth: number): Promise<Found> {
  const stat = await files.stat(`${root}/${path}`);
  if (stat?.kind === "Directory") return filesBelow(files, root, path, depth + 1);
  if (stat === undefined || !isManifestPath(path)) return { paths: [], unreadable: [] };
  if (stat.kind !== "File") return { paths: [], unreadable: [notRegular(path, stat.kind === "Link")] };
  if (stat.size > MAX_FILE_SIZE * 4)
    return {
      paths: [],
      unreadable: [fileProblem(path, "FileTooLarge", `the file has ${stat.size} bytes`, "Split it.")],
    };
  return { paths: [path], unreadable: [] };
}

/** `.yaml` and `.yml` files count; names and directories that begin with a dot do not. */
export function isManifestPath(path: string): boolean {
  return /\.ya?ml$/i.test(path) && !/(?:^|\/)\./.test(path);
}

function isRegular(mode: string): boolean {
  return mode === "100644" || mode === "100755";
}

function notRegular(path: string, link: boolean): Problem {
  return fileProblem(
    path,
    "FileNotRegular",
    `the path must be a plain file, not ${link ? "a symbolic link" : "a submodule or special file"}`,
    "Put the manifest itself here.",
  );
}
