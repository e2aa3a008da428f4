import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { TownError } from "../errors/town-error.ts";
import { KINDS } from "../kinds/index.ts";
import { PLACEMENTS, REFERENCES } from "../kinds/references.ts";
import { MANIFESTS, readSourceOnDisk } from "../manifests/read-source.ts";
import {
  diffRevisions,
  type OfflineOptions,
  revisionRange,
  validateOnDisk,
  validationText,
} from "../manifests/validation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Git, Repository } from "../ports/git.ts";
import type { ObjectKey } from "../resource/object-meta.ts";

export interface OfflineManifestPorts {
  readonly git: Git;
  readonly files: Files;
  readonly clock: Clock;
  /** Directory of the manifests that come with the program. */
  readonly builtinDirectory: string;
}

export interface OfflineManifestCall {
  /** Absolute: where the user stands. */
  readonly cwd: string;
  /** Directory of the town, from `-C`; relative to `cwd`. */
  readonly town?: string;
  readonly out: (text: string) => void;
}

/**
 * `town validate [PATH…]`: the manifests as saved on disk. Paths inside a town limit what is told; a path elsewhere is
 * validated by itself. Returns 0, or 1 when there are errors.
 */
export async function offlineValidate(
  call: OfflineManifestCall & { readonly paths: readonly string[]; readonly json: boolean },
  ports: OfflineManifestPorts,
): Promise<number> {
  const given = call.paths.map((path) => resolve(call.cwd, path));
  for (const path of given) await requirePath(path, ports.files);
  const { root, directory, paths } = await placeOf(call, given, ports);
  const options = await optionsFor(directory, ports);
  const validation = await validateOnDisk(ports.files, ports.clock, root, { ...options, paths });
  const { objects, files, exitCode, problems } = validation;
  call.out(
    call.json ? `${JSON.stringify({ objects, files, problems }, undefined, 2)}\n` : `${validationText(validation)}\n`,
  );
  return exitCode;
}

/** `town diff REV1..REV2` (an end left out: the disk). Returns 0 same, 1 different, 2 something cannot be read. */
export async function offlineDiff(
  call: OfflineManifestCall & { readonly range: string },
  ports: OfflineManifestPorts,
): Promise<number> {
  const start = resolve(call.cwd, call.town ?? ".");
  const repository = await ports.git.open(start);
  if (repository === undefined) throw notATown(start);
  const { from, to } = revisionRange(call.range);
  const disk = { files: ports.files, clock: ports.clock, root: repository.path };
  const difference = await diffRevisions(repository, from, to, disk, await optionsFor(MANIFESTS, ports));
  call.out(difference.text);
  return difference.exitCode;
}

interface Place {
  readonly root: string;
  /** Directory of the manifests below it. */
  readonly directory: string;
  /** From the root; empty: everything. */
  readonly paths: readonly string[];
}

async function placeOf(
  call: OfflineManifestCall,
  given: readonly string[],
  { git, files }: OfflineManifestPorts,
): Promise<Place> {
  const start = resolve(call.cwd, call.town ?? ".");
  const repository: Repository | undefined = await git.open(start);
  const root = repository?.path ?? start;
  const top = (await files.realPath(join(root, MANIFESTS))) ?? join(root, MANIFESTS);
  const real = await Promise.all(given.map(async (path) => (await files.realPath(path)) ?? path));
  const inside = real.every((path) => path === top || path.startsWith(top + sep) || path === root);
  if (inside)
    return { root, directory: MANIFESTS, paths: real.includes(root) ? [] : real.map((path) => relative(root, path)) };
  const [only, ...more] = given;
  if (only === undefined || more.length > 0) {
    throw new TownError("PathsApart", "Cannot validate several paths outside a town at once.", {
      hint: "Name one directory that holds them.",
    });
  }
  const isDirectory = (await files.stat(only))?.kind === "Directory";
  return isDirectory
    ? { root: only, directory: "", paths: [] }
    : { root: dirname(only), directory: "", paths: [basename(only)] };
}

async function optionsFor(
  directory: string,
  { files, clock, builtinDirectory }: OfflineManifestPorts,
): Promise<OfflineOptions> {
  const builtin = await readSourceOnDisk(files, clock, builtinDirectory, {
    kinds: KINDS,
    locals: new Map(),
    directory: "",
  });
  const known: readonly ObjectKey[] = builtin.objects.map((object) => object.key);
  return {
    kinds: KINDS,
    directory,
    check: { rules: REFERENCES, known, namespaceKind: "Rig" },
    placements: PLACEMENTS,
    builtin: builtin.objects,
  };
}

async function requirePath(path: string, files: Files): Promise<void> {
  if ((await files.stat(path)) === undefined)
    throw new TownError("PathMissing", `Cannot validate ${path}: it does not exist.`, {
      hint: "name a file or folder of manifests, or nothing for all of the town",
    });
}

function notATown(path: string): TownError {
  return new TownError("RepositoryNotFound", `Cannot compare revisions: ${path} is in no git repository.`, {
    hint: "Run it in a town, or name one with `-C`.",
  });
}
