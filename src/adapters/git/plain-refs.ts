import { lstatSync } from "node:fs";
import { join } from "node:path";
import { textAt } from "./at-once.ts";

/** Refs that name commits directly: git keeps nothing else there. */
const commitRef = /^refs\/(heads|town)(\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;
const objectId = /^([0-9a-f]{40}|[0-9a-f]{64})\n?$/;

/**
 * What a branch, or a ref of Town's own, names, read from its file (gitrepository-layout(5)): its commit, or null when there
 * is no such ref. Undefined when git must be asked: another name, or a file that is not plain. Only for repositories that
 * keep their refs in files.
 */
export function readPlainRef(commonDirectory: string, ref: string): string | null | undefined {
  if (!commitRef.test(ref) || /\.\.|\.lock$|\.$/.test(ref)) return undefined;
  try {
    // Packing writes the packed file before it removes the loose one, so nothing is missed in this order.
    const loose = textAt(join(commonDirectory, ref));
    if (loose !== undefined) return objectId.exec(loose)?.[1];
    return packedRef(textAt(join(commonDirectory, "packed-refs")) ?? "", ref);
  } catch {
    return undefined;
  }
}

/** Refs that git writes as the name of another: of a checkout, and of a remote. */
const headRef = /^(HEAD|refs\/remotes\/[A-Za-z0-9_][A-Za-z0-9_-]*\/HEAD)$/;

/**
 * The ref that a HEAD names, read from its file below `directory` (gitrepository-layout(5)), or null when it names none.
 * Undefined when git must be asked. Names of refs are never packed. Only for repositories that keep their refs in files.
 */
export function readPlainHead(directory: string, ref: string): string | null | undefined {
  if (!headRef.test(ref)) return undefined;
  try {
    const path = join(directory, ref);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return ref === "HEAD" ? undefined : null;
    // Very old repositories have a link to the file of the branch.
    const text = found.isFile() ? (textAt(path) ?? "") : "";
    return objectId.test(text) ? null : /^ref: (refs\/\S+)\n$/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function packedRef(text: string, ref: string): string | null | undefined {
  const at = text.indexOf(` ${ref}\n`);
  if (at < 0) return null;
  return objectId.exec(text.slice(text.lastIndexOf("\n", at) + 1, at))?.[1];
}
