import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryGit } from "../../src/simulation/memory-git.ts";
import { virtualClock } from "../turn.ts";
import type { SuiteSite } from "./source-sync.suite.ts";

/** A machine of twins with one repository at `/base/apart.git` that can stop answering. */
export async function twinSite(): Promise<SuiteSite> {
  const clock = virtualClock(1_900_000_000_000);
  const files = new MemoryDisk({ clock }).mount();
  const git = new MemoryGit({ clock, files });
  return {
    git,
    files,
    clock,
    base: "/base",
    setReachable: (reachable) => void (reachable ? git.unreachable.clear() : git.unreachable.add("/base/apart.git")),
    close: () => undefined,
  };
}
