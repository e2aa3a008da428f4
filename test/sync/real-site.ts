import { renameSync } from "node:fs";
import { join } from "node:path";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { realSite } from "../adapters/git/git-site.ts";
import type { SuiteSite } from "./source-sync.suite.ts";

/** A directory with real git, and one repository, `apart.git`, that can be put out of reach. */
export async function realSyncSite(): Promise<SuiteSite> {
  const real = realSite();
  const shared = join(real.root, "apart.git");
  return {
    git: real.git,
    files: createNodeFiles(),
    clock: systemClock,
    base: real.root,
    setReachable: (reachable) =>
      reachable ? renameSync(`${shared}.away`, shared) : renameSync(shared, `${shared}.away`),
    close: () => real.close(),
  };
}
