import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { ChaosTown } from "../chaos/chaos-town.ts";
import { wrongAtTheEnd } from "../chaos/end-state.ts";
import { sessionsOf } from "../chaos/session-witness.ts";

const cli = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));

/** A file system of its own, so that only this town's disk is full; undefined where this user may not mount one. */
function smallDisk(megabytes: number): string | undefined {
  if (process.platform !== "linux") return undefined;
  const path = realpathSync(mkdtempSync(join(tmpdir(), "town-disk-")));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]);
  if (mounted.status === 0) return path;
  rmSync(path, { recursive: true });
  console.error("SKIPPED: a full disk needs the right to mount one");
  return undefined;
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  for (const bytes of [1 << 20, 1 << 12]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}

describe("a town on a bad day", () => {
  let town: ChaosTown | undefined;
  let disk: string | undefined;
  afterEach(async () => {
    await town?.end();
    town = undefined;
    if (disk === undefined) return;
    spawnSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
    disk = undefined;
  });

  it("given a disk that fills up under load and a controller killed meanwhile, when there is room again, then no session was lost and every bead ended once", async ({
    skip,
  }) => {
    disk = smallDisk(96);
    if (disk === undefined) return skip();
    town = new ChaosTown({
      agents: 3,
      crew: 2,
      beads: 6,
      runtime: "Tmux",
      provider: "idle",
      home: disk,
      diskFloor: "1Mi",
    });
    const hurt = town;
    const crew = (): string =>
      sessionsOf(hurt.sessionLabel)
        .filter(({ name }) => name.includes("-crew-"))
        .map(({ name, generation, pids }) => `${name}.${generation}:${Math.min(...pids)}`)
        .toSorted()
        .join(" ");
    town.startController();
    await town.process.until("the crew runs", () => crew().split(" ").length === 2);
    await town.process.until("one bead landed", () => hurt.landed().length >= 1);
    const before = crew();
    const ballast = join(disk, "ballast");
    // The town may still let go of something.
    do fill(ballast);
    while (statfsSync(disk).bavail > 0);
    await sleep(4_000);
    await town.killController();
    town.startController();
    await sleep(4_000);
    expect(crew()).toBe(before);
    rmSync(ballast);
    await town.process.until("the convoy closes", () => {
      // One that could not start without a disk is started again, as a service manager would.
      hurt.startController();
      const conditions = hurt.process.object("convoy", "hq", "work")?.status?.conditions;
      return conditions?.some(({ type, status }) => type === "Closed" && status === "True");
    });
    await town.process.until("the workers ended", () => sessionsOf(hurt.sessionLabel).length === 2);
    expect(crew()).toBe(before);
    expect(wrongAtTheEnd(town)).toEqual([]);
  });

  it("given 100 writers at once and a controller killed under them, when it is over, then what was acknowledged is there, once", async () => {
    town = new ChaosTown({ agents: 1, crew: 0, beads: 0, runtime: "Tmux" });
    const { process: hurt } = town;
    town.startController();
    await hurt.until("the rig is ready", () =>
      hurt.object("rig", undefined, "api")?.status?.conditions?.some(({ reason }) => reason === "RigReady"),
    );
    let heard = 0;
    const writer = (index: number): Promise<number | null> =>
      new Promise((resolve) => {
        const argv = [cli, "-C", hurt.directory, "bd", "create", `writer ${index}`, "--rig", "api"];
        spawn(process.execPath, argv, { env: hurt.env, stdio: "ignore" }).once("exit", (code) => {
          if (code === 0) heard += 1;
          resolve(code);
        });
      });
    const writing = Array.from({ length: 100 }, (_, index) => writer(index));
    await hurt.until("the first are acknowledged", () => heard >= 5);
    await town.killController();
    await sleep(1_000);
    town.startController();
    const codes = await Promise.all(writing);
    const acknowledged = codes.flatMap((code, index) => (code === 0 ? [`writer ${index}`] : []));
    const titles = await hurt.until("the beads are shown", () => {
      const beads = hurt.json("get", "beads", "-n", "api") as { items: { spec: { title: string } }[] } | undefined;
      const found = (beads?.items ?? []).map(({ spec }) => spec.title).filter((title) => title.startsWith("writer "));
      return found.length >= acknowledged.length && found;
    });
    expect(acknowledged.filter((title) => !titles.includes(title))).toEqual([]);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
  });
});
