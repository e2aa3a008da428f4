import type { CommitInfo } from "../ports/git.ts";
import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";

/** Line at the end of a commit message that says an object was deleted on purpose, through the API. */
const TRAILER = "Town-Deleted";

/** A commit message with a trailer for each object that the commit deletes. */
export function withDeletions(message: string, deleted: readonly ObjectKey[]): string {
  if (deleted.length === 0) return message;
  return `${message.trimEnd()}\n\n${deleted.map((key) => `${TRAILER}: ${keyText(key)}\n`).join("")}`;
}

/**
 * Objects (`keyText`) whose deletion was asked for through the API in these commits: the prune guards do not hold them.
 * It is read from the commits, so that a crash between commit and sync does not lose it.
 */
export function deletionsIn(commits: readonly CommitInfo[]): ReadonlySet<string> {
  const trailer = new RegExp(`^${TRAILER}: (\\S+)$`, "gm");
  return new Set(commits.flatMap(({ message }) => [...message.matchAll(trailer)].flatMap((match) => match[1] ?? [])));
}
