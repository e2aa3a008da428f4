import { describe, expect, test } from "vitest";
import { acquireLeaderLock, type LeaderLock } from "../../src/engine/leader-lock.ts";
import { TerminalError } from "../../src/errors/town-error.ts";
import type { Files } from "../../src/ports/files.ts";
import { delayed, failing } from "../../src/simulation/faults.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryMachine } from "../../src/simulation/memory-processes.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { virtualClock } from "../turn.ts";
import { fc, fuzzRuns } from "../property.ts";

const PATH = "/town/controller.lock";

async function lockTown() {
  const clock = virtualClock();
  const disk = new MemoryDisk({ clock });
  const machine = new MemoryMachine({ clock });
  await disk.mount().makeDirectory("/town");
  let lives = 0;
  const controller = (wrap: (files: Files) => Files = (files) => files) => {
    const { processes, endLife } = machine.life();
    lives += 1;
    const options = {
      files: wrap(disk.mount()),
      processes,
      clock,
      random: seededRandom(lives),
      path: PATH,
      version: "0.1.0",
    };
    return { acquire: () => acquireLeaderLock(options), die: endLife };
  };
  return { clock, disk, machine, controller, files: disk.mount() };
}

describe("acquireLeaderLock", () => {
  test("given no lock, when acquired, then the file says who and since when, in format 1 and for its owner only; released, it is gone", async () => {
    const town = await lockTown();
    const lock = await town.controller().acquire();
    expect(JSON.parse((await town.files.readText(PATH)) ?? "")).toMatchObject({
      format: 1,
      pid: expect.any(Number),
      startTime: expect.any(String),
      bootId: expect.any(String),
      version: "0.1.0",
      since: "2026-01-01T00:00:00Z",
    });
    expect((await town.files.stat(PATH))?.mode).toBe(0o600);
    await lock.release();
    expect(await town.files.list("/town")).toEqual([]);
  });

  test("given a live holder, when another starts, then it is refused with who, since when and what to do, and the lock stays", async () => {
    const town = await lockTown();
    await town.controller().acquire();
    const before = await town.files.readText(PATH);
    const refused = await town
      .controller()
      .acquire()
      .catch((error: unknown) => error as TerminalError);
    expect(refused).toBeInstanceOf(TerminalError);
    expect(refused).toMatchObject({ reason: "TownAlreadyRunning", hint: expect.stringContaining("town down") });
    expect((refused as TerminalError).message).toMatch(/process 1001 \(since 2026-01-01T00:00:00Z, town 0\.1\.0\)/);
    expect(await town.files.readText(PATH)).toBe(before);
    expect(await town.files.list("/town")).toEqual(["controller.lock"]);
  });

  test("given a dead holder, when another starts, then it takes over; the dead one's late release does not harm it", async () => {
    const town = await lockTown();
    const first = town.controller();
    const old = await first.acquire();
    first.die();
    await town.controller().acquire();
    await old.release();
    expect(JSON.parse((await town.files.readText(PATH)) ?? "")).toMatchObject({ pid: 1002 });
    expect(await town.files.list("/town")).toEqual(["controller.lock"]);
  });

  test("given another boot, when started, then the old lock is taken over though a process has its pid", async () => {
    const town = await lockTown();
    await town.controller().acquire();
    town.machine.reboot();
    await expect(town.controller().acquire()).resolves.toBeDefined();
  });

  test("given a holder that cannot be told alive or dead, when another starts, then it is refused and told how to go on", async () => {
    const town = await lockTown();
    const first = town.controller();
    await first.acquire();
    first.die();
    const second = town.controller();
    town.machine.probesFail = true;
    await expect(second.acquire()).rejects.toMatchObject({
      reason: "LockHolderUnknown",
      hint: expect.stringContaining("ps -p 1001"),
    });
    town.machine.probesFail = false;
    await expect(second.acquire()).resolves.toBeDefined();
  });

  test.each([
    { because: "it is no lock file", text: "hello", reason: "LockUnreadable" },
    {
      because: "it is of a newer format",
      text: JSON.stringify({ format: 2, pid: 1, startTime: "1", bootId: "b", token: "t", since: "x" }),
      reason: "LockFormatTooNew",
    },
    {
      because: "its token would leave the directory",
      text: JSON.stringify({ format: 1, pid: 1, startTime: "1", bootId: "b", token: "../t", since: "x" }),
      reason: "LockUnreadable",
    },
  ])("given a lock that cannot be used because $because, when started, then it is refused and left as it is", async ({
    text,
    reason,
  }) => {
    const town = await lockTown();
    await town.files.writeAtomic(PATH, text);
    const refused = expect(town.controller().acquire()).rejects.toMatchObject({ reason });
    await town.clock.advance(1_000);
    await refused;
    expect(await town.files.readText(PATH)).toBe(text);
  });

  test("given a lock file that is complete only a moment later, when another starts, then it waits for it", async () => {
    const town = await lockTown();
    const holder = town.controller();
    await holder.acquire();
    const text = (await town.files.readText(PATH)) ?? "";
    holder.die();
    await town.files.writeAtomic(PATH, "");
    const acquired = town.controller().acquire();
    await town.clock.advance(60);
    await town.files.writeAtomic(PATH, text);
    await town.clock.advance(100);
    await expect(acquired).resolves.toBeDefined();
  });

  test("given racing controllers that die at any step, when it is over, then never two hold the lock, and one that lives gets it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(
          fc.record({
            dieAtCall: fc.integer({ min: 1, max: 12 }),
            dies: fc.boolean(),
            startMs: fc.integer({ min: 0, max: 60 }),
          }),
          { minLength: 2, maxLength: 6 },
        ),
        async (seed, contenders) => {
          const town = await lockTown();
          const random = seededRandom(seed);
          // A lock whose holder died before.
          const dead = town.controller();
          await dead.acquire();
          dead.die();
          const holders = new Set<number>();
          let most = 0;
          const methods = ["createExclusive", "readText", "writeAtomic", "remove", "list"] as const;
          const race = contenders.map(async ({ dieAtCall, dies, startMs }, index) => {
            await town.clock.sleep(startMs);
            let die = (): void => undefined;
            const one = town.controller((files) => {
              const slow = delayed(files, { methods, clock: town.clock, ms: 20, random });
              return dies
                ? failing(slow, {
                    methods,
                    at: dieAtCall,
                    how: random.chance(0.5) ? "Hang" : "HangAfter",
                    onFault: () => die(),
                  })
                : slow;
            });
            die = () => {
              one.die();
              holders.delete(index);
            };
            for (let round = 0; round < 40; round += 1) {
              const lock: LeaderLock | undefined = await one.acquire().catch(() => undefined);
              if (lock !== undefined) {
                holders.add(index);
                most = Math.max(most, holders.size);
                await town.clock.sleep(200);
                holders.delete(index);
                await lock.release();
                return "held";
              }
              await town.clock.sleep(100);
            }
            return "gave up";
          });
          let done = 0;
          for (const one of race) void one.then(() => (done += 1));
          await town.clock.advance(60_000);
          expect(most).toBeLessThanOrEqual(1);
          // Whoever was not killed got its turn; HangAfter at a later call may never have struck.
          expect(done).toBeGreaterThanOrEqual(contenders.filter(({ dies }) => !dies).length);
          for (const [index, { dies }] of contenders.entries()) if (!dies) expect(await race[index]).toBe("held");
        },
      ),
      { numRuns: fuzzRuns(150) },
    );
  });
});
