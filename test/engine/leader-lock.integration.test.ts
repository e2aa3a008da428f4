import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { createNodeProcesses } from "../../src/adapters/node-processes.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { acquireLeaderLock } from "../../src/engine/leader-lock.ts";

const source = (path: string): string => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Takes the lock over and over and notes when it has it; `mortal` kills itself while it holds it. */
const contender = (root: string, mortal: boolean): string => `
  import { appendFileSync } from "node:fs";
  import { acquireLeaderLock } from ${source("engine/leader-lock.ts")};
  import { createNodeFiles } from ${source("adapters/node-files.ts")};
  import { createNodeProcesses } from ${source("adapters/node-processes.ts")};
  import { nodeRandom } from ${source("adapters/node-random.ts")};
  import { systemClock } from ${source("adapters/system-clock.ts")};
  const options = { files: createNodeFiles(), processes: createNodeProcesses(), random: nodeRandom, clock: systemClock, path: ${JSON.stringify(`${root}/lock`)} };
  const note = (word) => appendFileSync(${JSON.stringify(`${root}/history`)}, word + " " + process.pid + "\\n");
  const end = Date.now() + 120_000;
  for (let held = 0; held < 8 && Date.now() < end; ) {
    let lock;
    try { lock = await acquireLeaderLock(options); }
    catch (error) {
      if (error.reason !== "TownAlreadyRunning" && error.reason !== "LockContended") throw error;
      await systemClock.sleep(Math.random() * 4);
      continue;
    }
    note("has");
    await systemClock.sleep(Math.random() * 5);
    held += 1;
    note("ends");
    if (${mortal} && held === 3) process.kill(process.pid, "SIGKILL");
    await lock.release();
    await systemClock.sleep(Math.random() * 6);
  }
`;

describe("acquireLeaderLock", () => {
  test("given real processes racing for the lock and two killed while they hold it, when all are done, then no two held it at once and the next one has it", async () => {
    const root = await mkdtemp(join(tmpdir(), "town-lock-"));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const codes = await Promise.all(
      [true, false, true, false].map(async (mortal) => {
        const child = spawn(
          process.execPath,
          ["--import", "tsx", "--input-type=module", "-e", contender(root, mortal)],
          { stdio: ["ignore", "inherit", "inherit"] },
        );
        const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
        return signal ?? code;
      }),
    );
    expect(codes).toEqual(["SIGKILL", 0, "SIGKILL", 0]);
    const history = (await readFile(`${root}/history`, "utf8")).trim().split("\n");
    expect(history).toHaveLength(2 * (3 + 8 + 3 + 8));
    for (let i = 0; i < history.length; i += 2) {
      expect(history[i]).toMatch(/^has /);
      expect(history[i + 1]).toBe(history[i]?.replace("has", "ends"));
    }
    // Who was killed may have been the last one of all.
    const lock = await acquireLeaderLock({
      files: createNodeFiles(),
      processes: createNodeProcesses(),
      random: nodeRandom,
      clock: systemClock,
      path: `${root}/lock`,
    });
    await lock.release();
    expect(await readdir(root)).toEqual(["history"]);
  });
});
