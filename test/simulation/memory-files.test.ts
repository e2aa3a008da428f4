import { describe, expect, test } from "vitest";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { seededRandom } from "../../src/simulation/seeded-random.ts";
import { filesContract } from "../ports/files.contract.ts";
import { turn, virtualClock } from "../turn.ts";

filesContract("memory", async () => {
  const clock = virtualClock();
  const files = new MemoryDisk({ clock }).mount();
  await files.makeDirectory("/disk/root");
  const settle = (): Promise<void> => clock.advance(20);
  return { files, root: "/disk/root", until: settle, settle, close: async () => undefined };
});

function disk(capacityBytes?: number): MemoryDisk {
  return new MemoryDisk({ clock: virtualClock(), ...(capacityBytes === undefined ? {} : { capacityBytes }) });
}

describe("MemoryDisk", () => {
  test("given durable and other writes, when the power fails, then exactly the durable ones are there", async () => {
    const machine = disk();
    const files = machine.mount();
    await files.makeDirectory("/d");
    await files.writeAtomic("/d/atomic", "a");
    const log = await files.openAppend("/d/log");
    await log.append("durable\n");
    await log.append("not\n", { durable: false });
    await files.copy("/d/atomic", "/d/copy");
    await files.symlink("atomic", "/d/link");
    await files.makeDirectory("/e");
    await files.writeAtomic("/e/removed", "r");
    await files.remove("/e/removed");
    machine.crash();
    const after = machine.mount();
    expect(await after.list("/d")).toEqual(["atomic", "log"]);
    expect(await after.readText("/d/log")).toBe("durable\n");
    expect(await after.readText("/e/removed")).toBe("r");
  });

  test("given un-synced changes followed by a durable one in the same directory, when the power fails, then all are there", async () => {
    const machine = disk();
    const files = machine.mount();
    await files.writeAtomic("/removed", "r");
    await files.remove("/removed");
    await files.writeAtomic("/other", "o");
    machine.crash();
    expect(await machine.mount().list("/")).toEqual(["other"]);
  });

  test("given un-synced appends, when the power fails with a seed, then a prefix of them survives, sometimes torn", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 40; seed += 1) {
      const machine = disk();
      const log = await machine.mount().openAppend("/log");
      await log.append("durable\n");
      await log.append("0123456789", { durable: false });
      machine.crash(seededRandom(seed));
      const text = (await machine.mount().readText("/log")) ?? "";
      expect("durable\n0123456789".startsWith(text) && text.startsWith("durable\n")).toBe(true);
      lengths.add(text.length);
    }
    expect(lengths.size).toBeGreaterThan(5);
  });

  test("given a killed process, when its calls were under way, then they never return and a new mount works on what was written", async () => {
    const machine = disk();
    const old = machine.mount();
    const log = await old.openAppend("/log");
    await log.append("kept\n", { durable: false });
    let returned = false;
    machine.onStep = (operation) => {
      if (operation === "sync") machine.kill();
    };
    void log.append("torn?\n").finally(() => {
      returned = true;
    });
    await turn();
    machine.onStep = undefined;
    void old.readText("/log").finally(() => {
      returned = true;
    });
    await turn();
    expect(returned).toBe(false);
    expect(await machine.mount().readText("/log")).toBe("kept\ntorn?\n");
  });

  test("given a full disk, when written, then it fails with ENOSPC, nothing changes, and freeing space helps", async () => {
    const machine = disk(100);
    const files = machine.mount();
    await files.writeAtomic("/a", "x".repeat(60));
    const log = await files.openAppend("/log");
    await expect(log.append("y".repeat(60))).rejects.toMatchObject({ code: "ENOSPC", reason: "DiskFull" });
    await expect(files.writeAtomic("/a", "z".repeat(60))).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(files.copy("/a", "/b")).rejects.toMatchObject({ code: "ENOSPC" });
    expect([await files.readText("/a"), await files.readText("/log")]).toEqual(["x".repeat(60), ""]);
    await files.remove("/a");
    expect(await files.freeBytes("/")).toBe(100);
    await log.append("y".repeat(60));
    expect(await files.freeBytes("/")).toBe(40);
  });

  test("given an injected failure, when it strikes the given times and paths, then only those calls fail", async () => {
    const machine = disk();
    const files = machine.mount();
    await files.makeDirectory("/d");
    const lift = machine.inject({ operations: ["writeAtomic"], below: "/d/", code: "EIO", times: 2 });
    await files.writeAtomic("/other", "");
    await expect(files.writeAtomic("/d/a", "")).rejects.toMatchObject({ code: "EIO" });
    await expect(files.writeAtomic("/d/a", "")).rejects.toMatchObject({ code: "EIO" });
    await files.writeAtomic("/d/a", "");
    lift();
    const liftAll = machine.inject({ code: "ENOSPC" });
    await expect(files.makeDirectory("/x")).rejects.toMatchObject({ code: "ENOSPC" });
    expect(await files.readText("/d/a")).toBe("");
    liftAll();
    await files.makeDirectory("/x");
  });

  test("given a sync that fails, when the handle is used again, then it refuses, and what it wrote does not count as durable", async () => {
    const machine = disk();
    const log = await machine.mount().openAppend("/log");
    machine.inject({ operations: ["sync"], code: "EIO", times: 1 });
    await expect(log.append("lost\n")).rejects.toMatchObject({ code: "EIO" });
    await expect(log.append("more\n")).rejects.toMatchObject({ code: "EIO" });
    expect(log.size).toBe(0);
    machine.crash();
    expect(await machine.mount().readText("/log")).toBe("");
  });

  test("given many changes at once, when watched, then there is one notice per 10 ms", async () => {
    const clock = virtualClock();
    const files = new MemoryDisk({ clock }).mount();
    let notices = 0;
    files.watch(["/d"], () => {
      notices += 1;
    });
    await files.makeDirectory("/d");
    for (let i = 0; i < 100; i += 1) await files.writeAtomic(`/d/${i}`, "");
    await files.writeAtomic("/elsewhere", "");
    await clock.advance(10);
    expect(notices).toBe(1);
  });
});
