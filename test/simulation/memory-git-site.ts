import { MemoryGit } from "../../src/simulation/memory-git.ts";
import type { GitSite } from "../ports/git.contract.ts";

/** Git in memory, with a place for repositories. */
export function memoryGitSite(): GitSite {
  const git = new MemoryGit();
  return {
    git,
    root: "/root",
    write: (path, text, mode) => git.writeFile("", path.slice(1), text, mode === undefined ? {} : { mode }),
    read: (path) => git.readFile("", path.slice(1)),
    remove: (path) => git.removeFile("", path.slice(1)),
    close: () => git.close(),
  };
}
