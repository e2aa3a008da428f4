import { describe, expect, it } from "vitest";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { checkoutContract } from "../ports/checkout.contract.ts";
import { memoryGitSite } from "./memory-git-site.ts";

checkoutContract("in memory", async () => memoryGitSite());

describe("MemoryGit.lockCheckout", () => {
  it("given a git of a person at work, when locked, then it is told as the real one does", async () => {
    const git = new MemoryGit();
    const repository = await git.init("/town", { bare: false, branch: "main" });
    git.occupy("/town", { index: true });
    expect(await repository.lockCheckout("refs/heads/main")).toEqual({ state: "Busy", path: "/town" });
    git.occupy("/town", { index: false });
    git.occupy("/town", { operation: "Rebase" });
    expect(await repository.lockCheckout("refs/heads/main")).toEqual({
      state: "InProgress",
      path: "/town",
      operation: "Rebase",
    });
  });

  it("given a holder that died, when locked, then the lock is taken over", async () => {
    const git = new MemoryGit();
    const repository = await git.init("/town", { bare: false, branch: "main" });
    await repository.lockCheckout("refs/heads/main");
    git.crash();
    expect((await repository.lockCheckout("refs/heads/main")).state).toBe("Locked");
  });
});
