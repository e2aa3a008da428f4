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

function packedRef(text: string, ref: string): string | null | undefined {
  const at = text.indexOf(` ${ref}\n`);
  if (at < 0) return null;
  return objectId.exec(text.slice(text.lastIndexOf("\n", at) + 1, at))?.[1];
}
