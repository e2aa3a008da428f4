import { describe, expect, test } from "vitest";
import { isBriefHolder, takeStoreLock, type LockPorts } from "../../src/graph/store-lock.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryMachine } from "../../src/simulation/memory-processes.ts";
import { seededRandom, type SeededRandom } from "../../src/simulation/seeded-random.ts";
import { virtualClock } from "../turn.ts";
import { mortal } from "./graph-world.ts";

function site(seed = 1) {
  const clock = virtualClock();
  const disk = new MemoryDisk({ clock });
  const machine = new MemoryMachine({ clock });
  const random = seededRandom(seed);
  const newLife = () => {
    const life = machine.life();
    let alive = true;
    const ports: LockPorts = { files: mortal(disk.mount(), () => alive), processes: life.processes, clock, random };
    const end = (): void => {
      alive = false;
      life.endLife();
    };
    return { ports, end };
  };
  return { clock, disk, machine, random, newLife };
}

const path = "/lock";

describe("the lock of a store", () => {
  test("given a living holder, when another wants it, then it waits for its time and is told who has it; released, it is free", async () => {
    const { clock, newLife } = site();
    const lock = await takeStoreLock(path, newLife().ports, 0);
    const refused = takeStoreLock(path, newLife().ports, 500);
    const outcome = refused.catch((error: unknown) => error);
    await clock.advance(499);
    await clock.advance(100);
    expect(await outcome).toMatchObject({
      reason: "StoreLocked",
      message: expect.stringMatching(/process \d+ holds \/lock \(waited 500 ms\)/) as string,
    });
    const patient = takeStoreLock(path, newLife().ports, 5_000);
    await clock.advance(100);
    await lock.release();
    await clock.advance(100);
    await (await patient).release();
  });

  test("given a holder that ends soon, then its lock says so, also after it succeeded a dead one", async () => {
    const { newLife, disk } = site();
    const town = newLife();
    await takeStoreLock(path, town.ports, 0);
    expect(isBriefHolder((await disk.mount().readText(path)) ?? "")).toBe(false);
    town.end();
    await takeStoreLock(path, newLife().ports, 0, { isBrief: true });
    expect(isBriefHolder((await disk.mount().readText(path)) ?? "")).toBe(true);
  });

  test("given a dead holder, when it is wanted, then it is taken at once, without waiting", async () => {
    const { newLife, disk } = site();
    const dead = newLife();
    await takeStoreLock(path, dead.ports, 0);
    dead.end();
    const lock = await takeStoreLock(path, newLife().ports, 0);
    await lock.release();
    expect(await disk.mount().list("/")).toEqual([]);
  });

  test("given a holder of whom nobody can tell, then it is never robbed; given a reboot, then it is dead", async () => {
    const { newLife, machine } = site();
    await takeStoreLock(path, newLife().ports, 0);
    machine.probesFail = true;
    await expect(takeStoreLock(path, newLife().ports, 0)).rejects.toMatchObject({ reason: "StoreLocked" });
    machine.probesFail = false;
    machine.reboot();
    await takeStoreLock(path, newLife().ports, 0);
  });

  test("given a file that names nobody, then it is left alone and the way out is told", async () => {
    const { newLife, disk } = site();
    await disk.mount().writeAtomic(path, "garbage");
    await expect(takeStoreLock(path, newLife().ports, 0)).rejects.toMatchObject({
      reason: "LockUnreadable",
      hint: expect.stringContaining("remove /lock") as string,
    });
  });

  test("given holders and contenders that die at any step, when many want it at once, then two living processes never have it", async () => {
    for (let seed = 0; seed < 300; seed++) {
      const { clock, disk, newLife, random } = site(seed);
      const holders = new Set<number>();
      let taken = 0;
      const contend = async (number: number, one: ReturnType<typeof newLife>, luck: SeededRandom): Promise<void> => {
        const lock = await takeStoreLock(path, one.ports, 60_000);
        holders.add(number);
        expect(holders.size, `seed ${seed}: ${[...holders].join(" and ")}`).toBe(1);
        taken++;
        await clock.sleep(luck.below(50));
        if (luck.chance(0.5)) {
          holders.delete(number);
          one.end();
          return;
        }
        holders.delete(number);
        await lock.release();
      };
      const runs: Promise<void>[] = [];
      const lives = Array.from({ length: 6 }, newLife);
      // Every step of the disk takes a random while, and some processes end in the middle of one.
      const luck = random.fork("steps");
      disk.onStep = async () => {
        await clock.sleep(luck.below(8));
      };
      lives.forEach((one, number) => {
        runs.push(contend(number, one, random.fork(`run ${number}`)));
        if (random.chance(0.3)) {
          void clock.sleep(random.below(60)).then(() => {
            if (!holders.has(number)) one.end();
          });
        }
      });
      const failures: unknown[] = [];
      for (const run of runs) run.catch((error: unknown) => failures.push(error));
      await clock.advance(30_000);
      expect(failures, `seed ${seed}`).toEqual([]);
      disk.onStep = undefined;
      for (const one of lives) one.end();
      const last = takeStoreLock(path, newLife().ports, 1_000);
      await clock.advance(2_000);
      await (await last).release();
      expect(await disk.mount().list("/"), `seed ${seed}`).toEqual([]);
      expect(taken).toBeGreaterThan(0);
    }
  }, 60_000);
});
