import { gitObjectsContract } from "../../ports/git-objects.contract.ts";
import { gitContract } from "../../ports/git.contract.ts";
import { realSite } from "./git-site.ts";

gitContract("real git", async () => realSite());

gitObjectsContract("real git", async () => {
  const site = realSite();
  const repository = await site.git.init(`${site.root}/r.git`, { bare: true, branch: "main" });
  return { objects: repository.objects, close: () => site.close() };
});
