import { joinPath } from "../domain/text/join-path.ts";
import type { Repository } from "../ports/git.ts";

/** What these need of a Rig's spec. */
export interface RigPlace {
  readonly path?: string | undefined;
  readonly url?: string | undefined;
  readonly prefix?: string | undefined;
}

/** Absolute path or URL a rig is cloned from; relative paths are relative to the town. */
export function rigSource(spec: RigPlace, townRoot: string): string {
  if (spec.url !== undefined) return spec.url;
  const path = spec.path ?? "";
  return path.startsWith("/") ? path : joinPath(townRoot, path);
}

/** Prefix of a rig's bead ids. */
export function rigPrefix(name: string, spec: RigPlace): string {
  const derived = name
    .replace(/[^a-z0-9]/g, "")
    .replace(/^[0-9]+/, "")
    .slice(0, 12);
  return spec.prefix ?? (derived === "" ? "rig" : derived);
}

/**
 * Commit the target branch is at. For path rigs that is the user's branch as fetched last. For URL rigs it is Town's own
 * branch, which starts at the remote's, follows it while it has nothing of its own, and keeps what was not pushed (yet).
 */
export async function targetHead(clone: Repository, spec: RigPlace, branch: string): Promise<string | undefined> {
  const remote = await clone.resolve(`refs/remotes/origin/${branch}`);
  if (spec.path !== undefined) return remote;
  const own = await clone.resolve(`refs/heads/${branch}`);
  if (own === undefined || remote === undefined) return own ?? remote;
  return (await clone.isAncestor(own, remote)) ? remote : own;
}
