import { describe, expect, test } from "vitest";
import { LockQueue } from "../../src/graph/lock-queue.ts";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryMachine } from "../../src/simulation/memory-processes.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { virtualClock } from "../turn.ts";

const directory = "/town/waiting";

function site() {
  const clock = virtualClock();
  const disk = new MemoryDisk({ clock });
  const machine = new MemoryMachine({ clock });
  const random = seededRandom(1);
  const files = disk.mount();
  const join = () => {
    const life = machine.life();
    return {
      queue: new LockQueue(directory, { files, processes: life.processes, clock, random }),
      end: () => life.endLife(),
    };
  };
  return { clock, files, join };
}

describe("the queue for the lock of a store", () => {
  test("given some that wait, when asked, then each stands where it came; who leaves makes room", async () => {
    const { clock, join } = site();
    const [a, b, c] = [join().queue, join().queue, join().queue];
    expect(await a.isBusy()).toBe(false);
    for (const [i, queue] of [a, b, c].entries()) {
      expect(await queue.place()).toBe(i);
      await clock.advance(1);
    }
    expect(await a.isBusy()).toBe(true);
    await b.leave();
    expect([await a.place(), await c.place()]).toEqual([0, 1]);
    await a.leave();
    expect(await c.place()).toBe(0);
    await c.leave();
    await c.leave();
    expect(await a.isBusy()).toBe(false);
  });

  test("given somebody killed in front, also while it took its place, when it does not move, then it is sent off; who lives is not", async () => {
    const { clock, files, join } = site();
    const [dead, living, last] = [join(), join(), join()];
    await dead.queue.place();
    await clock.advance(1);
    await files.writeAtomic(`${directory}/000000000000000-torn`, "{");
    await living.queue.place();
    await clock.advance(1);
    dead.end();
    expect(await last.queue.place()).toBe(3);
    const places: number[] = [];
    for (let i = 0; i < 5; i++) {
      await clock.advance(2_001);
      places.push(await last.queue.place());
    }
    expect(places).toEqual([2, 2, 1, 1, 1]);
    expect(await living.queue.place()).toBe(0);
  });

  test("given a directory that somebody emptied, when asked, then nobody is held up", async () => {
    const { clock, files, join } = site();
    const [a, b] = [join().queue, join().queue];
    await a.place();
    await clock.advance(1);
    await b.place();
    await files.removeTree(directory);
    expect([await a.place(), await b.place()]).toEqual([0, 0]);
    await a.leave();
    await b.leave();
  });
});
