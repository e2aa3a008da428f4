import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { codeOf } from "./error-code.ts";

const ATTEMPTS = 5;

/**
 * Makes a directory and those above it that are missing, as `mkdir -p` does. Gives the first that was made, undefined when
 * all were there. Node's own never ends where a directory that exists says ENOENT of what is made in it, as `/proc` does.
 * Throws Node's errors.
 */
export async function makePath(path: string, options: { readonly mode?: number } = {}): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const missing = await firstMissing(resolve(path));
    try {
      if (missing !== undefined) await mkdir(missing, options);
    } catch (error) {
      const code = codeOf(error);
      // What was above it went away meanwhile, or somebody else made it.
      if (attempt < ATTEMPTS && (code === "EEXIST" || code === "ENOENT")) continue;
      throw error;
    }
    const further = await mkdir(path, { ...options, recursive: true });
    return missing ?? further;
  }
}

async function firstMissing(path: string): Promise<string | undefined> {
  let missing: string | undefined;
  for (let at = path; ; at = dirname(at)) {
    try {
      await stat(at);
      return missing;
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || at === dirname(at)) return missing;
    }
    missing = at;
  }
}
