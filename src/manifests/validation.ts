import { TownError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Repository } from "../ports/git.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import type { LoadedObject } from "./load-file.ts";
import type { LoadedSource } from "./load-source.ts";
import { LOCAL_FILE, type LocalValue, readLocalValues } from "./local-values.ts";
import { compareSources, differenceText, type SourceDifference } from "./object-diff.ts";
import { ParseCache } from "./parse-cache.ts";
import { checkPlacements, type PlacementRule } from "./placements.ts";
import { byPlace, type Problem, problemText } from "./problem.ts";
import { MANIFESTS, readSourceAtCommit, readSourceOnDisk } from "./read-source.ts";
import { checkReferences, type ReferenceCheck } from "./references.ts";
import { counted } from "../domain/text/counted.ts";

/** What `town validate` answers. */
export interface Validation {
  readonly problems: readonly Problem[];
  readonly objects: number;
  readonly files: number;
  /** 0: nothing wrong; 1: errors. (2, for what cannot be read at all, is an exception.) */
  readonly exitCode: 0 | 1;
}

/** Everything that is wrong with a source, alone and together with the objects known besides. Pure. */
function validateSource(
  loaded: LoadedSource,
  { check, placements = [], builtin = [] }: Pick<OfflineOptions, "check" | "placements" | "builtin">,
): Validation {
  // What is broken exists nevertheless: that others refer to it is not their fault.
  const broken = loaded.problems.flatMap((problem) => problem.key ?? []);
  const references = checkReferences(loaded.objects, { ...check, known: [...check.known, ...broken] });
  const misplaced = checkPlacements(loaded.objects, placements, builtin);
  const problems = [...loaded.problems, ...references, ...misplaced].sort(byPlace);
  const isWrong = problems.some((problem) => problem.severity === "Error");
  return { problems, objects: loaded.objects.length, files: loaded.files, exitCode: isWrong ? 1 : 0 };
}

/** A line per problem, as compilers write them, and a last line that counts. */
export function validationText({ problems, objects, files }: Validation): string {
  const errors = problems.filter((problem) => problem.severity === "Error").length;
  const warnings = problems.length - errors;
  const counts = [counted(errors, "error"), ...(warnings > 0 ? [counted(warnings, "warning")] : [])].join(", ");
  const what = `${counted(objects, "object")} in ${counted(files, "file")}`;
  return [
    ...problems.map(problemText),
    problems.length === 0 ? `${what}: all valid` : `${what} usable, ${counts}`,
  ].join("\n");
}

export interface OfflineOptions {
  readonly kinds: readonly KindDefinition[];
  readonly check: ReferenceCheck;
  readonly placements?: readonly PlacementRule[];
  /** Objects that come with the program. */
  readonly builtin?: readonly LoadedObject[];
  /** Directory of the manifests below the root. Default `manifests`. */
  readonly directory?: string;
}

/**
 * Validates the manifests as saved below a town's root, without a daemon. With `paths` (from the root; files or
 * directories) only problems there are told, but all manifests are read, since they refer to one another. Throws
 * TownError `ManifestsMissing` where there is nothing to read.
 */
export async function validateOnDisk(
  files: Files,
  clock: Clock,
  root: string,
  options: OfflineOptions & { readonly paths?: readonly string[] },
): Promise<Validation> {
  const { kinds, directory = MANIFESTS, paths = [] } = options;
  if ((await files.stat(directory === "" ? root : `${root}/${directory}`)) === undefined) {
    throw new TownError("ManifestsMissing", `Cannot validate: there is no ${directory}/ in ${root}.`, {
      hint: "Run `town validate` in a town's repository, or name one with `-C`.",
    });
  }
  const locals = readLocalValues(await files.readText(`${root}/${LOCAL_FILE}`));
  const loaded = await readSourceOnDisk(files, clock, root, { kinds, locals: locals.values, directory });
  const whole = validateSource({ ...loaded, problems: [...loaded.problems, ...locals.problems] }, options);
  const isAsked = (path: string): boolean =>
    paths.length === 0 || paths.some((one) => path === one || path.startsWith(`${one.replace(/\/+$/, "")}/`));
  const problems = whole.problems.filter((problem) => isAsked(problem.path));
  return { ...whole, problems, exitCode: problems.some((problem) => problem.severity === "Error") ? 1 : 0 };
}

/**
 * What the manifests of one revision (undefined: as saved on disk below `root`) differ from those of another; see
 * `differenceText` for people. Throws TerminalError `RevisionMissing`.
 */
export async function diffRevisions(
  repository: Repository,
  from: string,
  to: string | undefined,
  disk: { readonly files: Files; readonly clock: Clock; readonly root: string },
  options: OfflineOptions,
): Promise<SourceDifference & { readonly text: string }> {
  const locals: ReadonlyMap<string, LocalValue> = readLocalValues(
    await disk.files.readText(`${disk.root}/${LOCAL_FILE}`),
  ).values;
  const context = { kinds: options.kinds, locals, directory: options.directory ?? MANIFESTS, cache: new ParseCache() };
  const before = await readSourceAtCommit(repository, from, context);
  const after =
    to === undefined
      ? await readSourceOnDisk(disk.files, disk.clock, disk.root, context)
      : await readSourceAtCommit(repository, to, context);
  const difference = compareSources(before, after);
  return { ...difference, text: differenceText(difference) };
}

/** `REV1..REV2`, `REV1..` and `REV1` (against the disk), or `..REV2` (from HEAD). */
export function revisionRange(text: string): { readonly from: string; readonly to: string | undefined } {
  const dots = text.indexOf("..");
  if (dots === -1) return { from: text, to: undefined };
  const [from, to] = [text.slice(0, dots), text.slice(dots + 2).replace(/^\./, "")];
  return { from: from === "" ? "HEAD" : from, to: to === "" ? undefined : to };
}
