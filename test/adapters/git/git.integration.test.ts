import { rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { gitObjectsContract } from "../../ports/git-objects.contract.ts";
import { gitContract } from "../../ports/git.contract.ts";
import { loseObject, realSite } from "./git-site.ts";

gitContract("real git", async () => realSite());

gitObjectsContract("real git", async () => {
  const site = realSite();
  const repository = await site.git.init(`${site.root}/r.git`, { bare: true, branch: "main" });
  const { commonDirectory, objects } = repository;
  return {
    objects,
    lose: (id, how) => loseObject(commonDirectory, id, how),
    collect: (runs) => {
      const path = join(commonDirectory, "gc.pid");
      if (runs) writeFileSync(path, `${process.pid} ${hostname()}`);
      else rmSync(path);
    },
    close: () => site.close(),
  };
});
