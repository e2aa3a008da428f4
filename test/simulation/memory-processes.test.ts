import { describe, expect, test } from "vitest";
import { MemoryDisk } from "../../src/simulation/memory-disk.ts";
import { MemoryMachine, type Program } from "../../src/simulation/memory-processes.ts";
import type { VirtualClock } from "../../src/simulation/virtual-clock.ts";
import { processesContract } from "../ports/processes.contract.ts";
import { virtualClock } from "../turn.ts";

const TEN_MINUTES = 600_000;

const PROGRAMS: Readonly<Record<string, Program>> = {
  echo: async (run) => {
    run.print(`${run.args.join(" ")}\n`);
    return 0;
  },
  fails: async (run) => {
    run.print("out\n");
    run.print("err\n");
    return 3;
  },
  cat: async (run) => {
    run.print(run.input);
    return 0;
  },
  env: async (run) => {
    for (const name of Object.keys(run.env)) if (name.startsWith("TOWN_")) run.print(`${name}\n`);
    return 0;
  },
  pwd: async (run) => {
    run.print(`${run.cwd}\n`);
    return 0;
  },
  sleeps: async (run) => {
    await run.clock.sleep(TEN_MINUTES, run.terminated);
    return 0;
  },
  stubborn: async (run) => {
    await run.clock.sleep(TEN_MINUTES);
    return 0;
  },
  chatty: async (run) => {
    run.print(`${"x".repeat(200 * 1024)}\nend\n`);
    return 0;
  },
};

function machineOn(clock: VirtualClock): MemoryMachine {
  const machine = new MemoryMachine({ clock });
  for (const [name, program] of Object.entries(PROGRAMS)) machine.install(name, program);
  return machine;
}

processesContract("memory", async () => {
  const clock = virtualClock();
  const files = new MemoryDisk({ clock }).mount();
  await files.makeDirectory("/cwd");
  const machine = new MemoryMachine({ clock, files });
  for (const [name, program] of Object.entries(PROGRAMS)) machine.install(name, program);
  const programs = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, [name]]));
  return {
    processes: machine.life().processes,
    programs: programs as never,
    cwd: "/cwd",
    env: {},
    pass: (ms) => clock.advance(ms),
    readText: (path) => files.readText(path),
    close: async () => undefined,
  };
});

describe("MemoryMachine", () => {
  const options = { cwd: "/", env: {}, timeoutMs: TEN_MINUTES * 2 };

  test("given a controller that is killed, when its program goes on, then the program is an orphan that a new life finds alive", async () => {
    const clock = virtualClock();
    const machine = machineOn(clock);
    const first = machine.life();
    let returned = false;
    void first.processes.run("sleeps", [], options).finally(() => {
      returned = true;
    });
    await clock.settle();
    const orphan = machine.running.at(-1)!;
    const self = await first.processes.self();
    first.endLife();
    const { processes } = machine.life();
    expect(await processes.probe(orphan)).toBe("Alive");
    expect(await processes.probe(self)).toBe("Dead");
    await clock.advance(TEN_MINUTES);
    expect(await processes.probe(orphan)).toBe("Dead");
    expect(returned).toBe(false);
  });

  test("given a killed program, when its time would have come, then nothing of it runs any more", async () => {
    const clock = virtualClock();
    const machine = machineOn(clock);
    let effects = 0;
    machine.install("effect", async (run) => {
      await run.clock.sleep(1000);
      effects += 1;
      return 0;
    });
    const running = machine.life().processes.run("/usr/bin/effect", [], options);
    await clock.settle();
    expect(machine.kill(machine.running.at(-1)!.pid)).toBe(true);
    expect(await running).toMatchObject({ signal: "SIGKILL" });
    await clock.advance(5000);
    expect(effects).toBe(0);
  });

  test("given a reboot, when an old identity is probed, then it is dead and the boot id is another one", async () => {
    const clock = virtualClock();
    const machine = machineOn(clock);
    const before = await machine.life().processes.self();
    machine.reboot();
    const { processes } = machine.life();
    expect(await processes.probe(before)).toBe("Dead");
    expect((await processes.self()).bootId).not.toBe(before.bootId);
  });

  test("given probes that fail, when asked, then the answer is unknown", async () => {
    const machine = machineOn(virtualClock());
    const { processes } = machine.life();
    machine.probesFail = true;
    expect(await processes.probe(await processes.self())).toBe("Unknown");
  });
});
