import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { offlineSite, type OfflineSite } from "./offline-site.ts";

let site: OfflineSite;
let disk: string | undefined;

beforeEach(() => {
  site = offlineSite();
});
afterEach(async () => {
  await site.close();
  if (disk === undefined) return;
  spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true, force: true });
  disk = undefined;
});

/** A file system of its own; undefined where this user may not mount one. */
function smallDisk(megabytes: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  const path = realpathSync(mkdtempSync(join(tmpdir(), "town-bd-disk-")));
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]).status === 0) return path;
  rmSync(path, { recursive: true });
  console.error("SKIPPED: a full disk needs the right to mount one");
  return undefined;
}

/** Takes all room but so many blocks of 4 KiB. */
function leave(path: string, blocks: number): void {
  const ballast = join(path, "ballast");
  truncateSync(ballast, 0);
  const { bavail, bsize } = statfsSync(path);
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - blocks * 4_096)));
}

describe("bd on a disk that is full", () => {
  test("given every amount of room down to none, when beads are made, then what was acknowledged is there, the rest says why, reads go on, and it works again with room", async ({
    skip,
  }) => {
    disk = smallDisk(8);
    if (disk === undefined) return skip();
    const at = join(disk, "shop");
    site.git(disk, "init", "--quiet", at);
    site.git(at, "config", "user.name", "Ada");
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, "");
    const acknowledged: string[] = [];
    const refusals: string[] = [];
    const make = async (title: string): Promise<void> => {
      const { stdout, stderr, exitCode } = await site.bd(at, ["create", title, "-d", "x".repeat(3_000), "--silent"]);
      if (exitCode === 0) acknowledged.push(stdout.trim());
      else {
        expect(stdout).toBe("");
        refusals.push(stderr);
      }
    };
    for (let i = 0; i < 4; i += 1) await make(`with room ${i}`);
    for (const blocks of [24, 16, 12, 8, 6, 5, 4, 3, 2, 1, 0, 0, 1, 2, 6]) {
      leave(disk, blocks);
      await make(`with ${blocks} blocks`);
      const { stdout, exitCode } = await site.bd(at, ["list", "--limit", "0", "--json"]);
      expect(exitCode).toBe(0);
      const ids = (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
      expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    }
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) expect(refusal).toMatch(/no space left/i);
    rmSync(ballast);
    const before = acknowledged.length;
    await make("with room again");
    expect(acknowledged).toHaveLength(before + 1);
    expect((await site.bd(at, ["flush"])).exitCode).toBe(0);
    // From git alone: neither log nor cache.
    rmSync(join(at, ".git", "town"), { recursive: true });
    const { stdout } = await site.bd(at, ["list", "--limit", "0", "--json"]);
    const ids = (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    expect(site.git(at, "fsck", "--strict", "--no-dangling")).toBe("");
  });
});
