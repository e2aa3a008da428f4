import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { realPathAt, statAt, textAt } from "./at-once.ts";

/** Smaller ones are scripts that choose a git, which may be another one the next time. */
const LEAST_BYTES = 65_536;

/**
 * Remembers in a file of the user's cache that the git of this PATH was asked and is new enough: starting it to hear that
 * again costs a short command as much as some of its work. Another file in its place is asked again. Whatever goes wrong
 * here only means that git is asked.
 */
export class KnownGit {
  readonly #file: string;
  readonly #mark: string | undefined;

  constructor(directory: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#file = join(directory, "git");
    this.#mark = markOf(environment["PATH"] ?? "");
  }

  isKnown(): boolean {
    if (this.#mark === undefined) return false;
    try {
      return textAt(this.#file) === this.#mark;
    } catch {
      return false;
    }
  }

  /** It was asked, and it is new enough. */
  keep(): void {
    if (this.#mark === undefined) return;
    const temporary = `${this.#file}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(temporary, this.#mark, { mode: 0o600, flag: "wx" });
      renameSync(temporary, this.#file);
    } catch {
      removeQuietly(temporary);
    }
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was not even made.
  }
}

/** What tells the program apart from any other that may come to its place; undefined when there is no telling. */
function markOf(searchPath: string): string | undefined {
  try {
    for (const directory of searchPath.split(delimiter)) {
      if (!isAbsolute(directory)) return undefined;
      const path = join(directory, "git");
      const found = statAt(path);
      if (found?.isFile() !== true || (found.mode & 0o111) === 0) continue;
      const { dev, ino, size, mtimeMs, ctimeMs } = found;
      const facts = [realPathAt(path), dev, ino, size, mtimeMs, ctimeMs];
      return size < LEAST_BYTES ? undefined : `town-git/1 ${JSON.stringify(facts)}\n`;
    }
  } catch {
    // A directory that may not be searched, and the like.
  }
  return undefined;
}
