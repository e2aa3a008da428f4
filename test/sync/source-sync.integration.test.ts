import { renameSync } from "node:fs";
import { join } from "node:path";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { realSite } from "../adapters/git/git-site.ts";
import { describeSourceSync } from "./source-sync.suite.ts";

describeSourceSync("real git", async () => {
  const real = realSite();
  const shared = join(real.root, "shared.git");
  return {
    git: real.git,
    files: createNodeFiles(),
    clock: systemClock,
    base: real.root,
    setReachable: (reachable) =>
      reachable ? renameSync(`${shared}.away`, shared) : renameSync(shared, `${shared}.away`),
    close: () => real.close(),
  };
});
