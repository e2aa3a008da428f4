import type { ObjectKey } from "../resource/object-meta.ts";

/** A place in a manifest file. Line and column are 1-based; column 0 means the whole line, line 0 the whole file. */
export interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Something wrong in a file. With severity `Error` the object (or, without `key`, whatever the document declares) is not
 * applied from this file and its last good version stays in force.
 */
export interface Problem extends Place {
  readonly severity: "Error" | "Warning";
  /** PascalCase word-group, unique to the situation. */
  readonly reason: string;
  /** What is wrong, with the field in back-quotes, without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** The object that the document declares, where that can still be told. */
  readonly key?: ObjectKey;
}

/** `path:line:column: message Hint`, as compilers write it and editors understand it. */
export function problemText(problem: Problem): string {
  const label = problem.severity === "Warning" ? "warning: " : "";
  return `${placeText(problem)}: ${label}${problem.message}.${problem.hint === undefined ? "" : ` ${problem.hint}`}`;
}

export function placeText(place: Place): string {
  if (place.line === 0) return place.path;
  return place.column === 0 ? `${place.path}:${place.line}` : `${place.path}:${place.line}:${place.column}`;
}

/** Order for people: by path, then by place. */
export function byPlace(a: Place, b: Place): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
