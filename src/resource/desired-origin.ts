/** Where a desired object comes from: for `trace`, read-only refusals and drift. */
export interface DesiredOrigin {
  /** `town` for the town repository, `builtin` for what comes with the program, else the name of a Source. */
  readonly source: string;
  /** URL of the repository, for objects of a Source. */
  readonly repository?: string;
  /** Path in the repository, with `/`. */
  readonly path: string;
  readonly line: number;
  readonly revision: string;
  readonly readOnly?: boolean;
}

/** Name of the town repository among sources, and of the objects that come with the program. */
export const TOWN_SOURCE = "town";
export const BUILTIN_SOURCE = "builtin";

/** Why a read-only object cannot be written here, and what to do instead. */
export function readOnlyText({ source, repository, path, line, revision }: DesiredOrigin): string {
  if (source === BUILTIN_SOURCE)
    return `it comes with the program (${path}:${line}) and cannot be deleted; change it, and the town gets a manifest of its own that overrides it`;
  const where = repository === undefined ? "" : ` (${repository})`;
  return `it is declared in the read-only source ${source}${where}, ${path}:${line} at ${revision}: change it there`;
}
