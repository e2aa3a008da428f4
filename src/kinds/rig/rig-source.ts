import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";

/** What is at the place that a rig names. */
export type RigSource =
  /** A URL: only a fetch can tell. */
  | { readonly state: "Remote" }
  | { readonly state: "Found"; readonly repository: Repository; readonly boundTo: string | undefined }
  /** Nothing is at the path: never made, moved, or on a disk that is not mounted. */
  | { readonly state: "Missing" }
  | { readonly state: "NoRepository" }
  /** The path lies inside the checkout of another repository. */
  | { readonly state: "Inside"; readonly around: string }
  /** The town's own repository. */
  | { readonly state: "Town" };

/** Key in a checkout's git config, written by the work graph: the store (Town's clone) that its beads live in. */
export const STORE_KEY = "town.store";

/** Looks at a rig's source. Throws AdapterError where git refuses the repository (not trusted, format too new). */
export async function readSource(
  source: string,
  isUrl: boolean,
  ports: Pick<LoopPorts, "files" | "git" | "layout">,
): Promise<RigSource> {
  if (isUrl) return { state: "Remote" };
  const real = await ports.files.realPath(source);
  if (real === undefined) return { state: "Missing" };
  const repository = await ports.git.open(real);
  if (repository === undefined) return { state: "NoRepository" };
  const own = await ports.git.open(ports.layout.root);
  if (
    repository.path !== real &&
    repository.commonDirectory !== real &&
    `${real}/.git` !== repository.commonDirectory
  ) {
    // Below the town lies what the town ignores: naming its repository would lead astray.
    return repository.commonDirectory === own?.commonDirectory
      ? { state: "NoRepository" }
      : { state: "Inside", around: repository.path };
  }
  if (repository.commonDirectory === own?.commonDirectory) return { state: "Town" };
  return { state: "Found", repository, boundTo: await repository.config(STORE_KEY) };
}

/** What is wrong with a source and what to do about it; undefined when it can be used for `clone`. */
export function sourceProblem(
  source: string,
  found: RigSource,
  clone: string,
): { readonly reason: string; readonly message: string } | undefined {
  switch (found.state) {
    case "Missing":
      return {
        reason: "RepositoryNotFound",
        message: `there is nothing at ${source}; correct spec.path, or make the repository`,
      };
    case "NoRepository":
      return {
        reason: "RepositoryNotFound",
        message: `${source} is no git repository; run \`git init\` there, or correct spec.path`,
      };
    case "Inside":
      return {
        reason: "PathInsideRepository",
        message: `${source} lies inside the repository ${found.around}; a rig is a whole repository: set spec.path to that`,
      };
    case "Town":
      return {
        reason: "PathIsTown",
        message: `${source} is the town's own repository, whose work is in the namespace hq; a rig needs another one`,
      };
    case "Found":
      return found.boundTo === undefined || found.boundTo === clone
        ? undefined
        : {
            reason: "BoundElsewhere",
            message: `${source} belongs to the rig whose store is ${found.boundTo}; remove it there (\`town rig remove\`), or, if that town is gone: git -C ${source} config --unset ${STORE_KEY}`,
          };
    case "Remote":
      return undefined;
    default:
      return found satisfies never;
  }
}
