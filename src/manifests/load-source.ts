import { keyText } from "../resource/object-meta.ts";
import type { LoadContext, LoadedFile, LoadedObject, SourceFile } from "./load-file.ts";
import { ParseCache } from "./parse-cache.ts";
import { byPlace, placeText } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** What a source declares, and what is wrong with it. */
export interface LoadedSource {
  /** One per key, by path and place. Objects with an Error are not among them. */
  readonly objects: readonly LoadedObject[];
  /** By path and place. */
  readonly problems: readonly Problem[];
  /** Manifest files seen, whatever is in them. */
  readonly files: number;
}

/**
 * Reads all files of a source together: what `loadFile` does for each, and an object declared twice is applied from
 * neither place. `unreadable` are problems of files that could not be handed over at all. Pure.
 */
export function loadSource(
  files: readonly SourceFile[],
  context: LoadContext,
  options: { readonly cache?: ParseCache; readonly unreadable?: readonly Problem[] } = {},
): LoadedSource {
  const cache = options.cache ?? new ParseCache();
  const loaded = cache.load(
    files.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    context,
  );
  const unreadable = options.unreadable ?? [];
  const { objects, repeated } = withoutRepeated(loaded);
  const problems = [...loaded.flatMap((file) => file.problems), ...repeated, ...unreadable].sort(byPlace);
  return { objects, problems, files: files.length + unreadable.length };
}

function withoutRepeated(files: readonly LoadedFile[]): {
  readonly objects: readonly LoadedObject[];
  readonly repeated: readonly Problem[];
} {
  const byKey = new Map<string, LoadedObject[]>();
  for (const object of files.flatMap((file) => file.objects)) {
    const key = keyText(object.key);
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [object]);
    else same.push(object);
  }
  const objects: LoadedObject[] = [];
  const repeated: Problem[] = [];
  for (const [key, same] of byKey) {
    if (same.length === 1) objects.push(...same);
    else repeated.push(...same.map((object) => repeatedProblem(key, object, same)));
  }
  return { objects, repeated };
}

function repeatedProblem(key: string, object: LoadedObject, same: readonly LoadedObject[]): Problem {
  const others = same.filter((other) => other !== object).map((other) => placeText({ ...other.origin, column: 0 }));
  return {
    path: object.origin.path,
    ...object.placeOf(["metadata", "name"]),
    severity: "Error",
    key: object.key,
    reason: "ObjectDeclaredTwice",
    message: `${key} is also declared at ${others.join(" and ")}; neither is applied`,
    hint: "Remove all but one of them.",
  };
}
