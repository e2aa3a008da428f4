import { readFileSync, realpathSync, statSync, type Stats } from "node:fs";
import { codeOf } from "../error-code.ts";

/*
 * Small files of a repository, read without handing them to another thread: that takes several times as long as reading
 * them does, and these are read with every command.
 */

export function textAt(path: string): string | undefined {
  return unlessGone(() => readFileSync(path, "utf8"));
}

export function statAt(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

export function realPathAt(path: string): string | undefined {
  return unlessGone(() => realpathSync.native(path));
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
