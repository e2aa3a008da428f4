import { fork } from "node:child_process";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import { createStore } from "../../src/store/store.ts";
import { KINDS } from "../server/widget-town.ts";
import { declared, widgetKey } from "./a-store.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "town-store-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const open = () =>
  createStore({
    registry: kindRegistry(KINDS),
    clock: systemClock,
    random: nodeRandom,
    persistence: { files: createNodeFiles(), directory: join(directory, "state") },
  });

/** A process that writes for ever and says after each write what was acknowledged. */
const WRITER = `
import { declared, widgetKey } from ${JSON.stringify(join(import.meta.dirname, "a-store.ts"))};
import { createNodeFiles } from ${JSON.stringify(join(import.meta.dirname, "../../src/adapters/node-files.ts"))};
import { nodeRandom } from ${JSON.stringify(join(import.meta.dirname, "../../src/adapters/node-random.ts"))};
import { systemClock } from ${JSON.stringify(join(import.meta.dirname, "../../src/adapters/system-clock.ts"))};
import { kindRegistry } from ${JSON.stringify(join(import.meta.dirname, "../../src/resource/kind-registry.ts"))};
import { createStore } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/store.ts"))};
import { KINDS } from ${JSON.stringify(join(import.meta.dirname, "../server/widget-town.ts"))};
const store = await createStore({ registry: kindRegistry(KINDS), clock: systemClock, random: nodeRandom, persistence: { files: createNodeFiles(), directory: process.argv[2] } });
for (let round = Number(process.argv[3]); ; round += 1) {
  await declared(store, "w" + (round % 50), { role: "r" + round });
  await store.patchStatus(widgetKey("w" + (round % 50)), { note: String(round) });
  process.send({ round, version: store.currentVersion() });
}
`;

describe("a store on a real disk", () => {
  it("given state, when reopened, then it is private and as it was", async () => {
    const store = await open();
    await declared(store, "one");
    await store.patchStatus(widgetKey("one"), { note: "seen" });
    const before = store.get(widgetKey("one"));
    await store.close();
    const next = await open();
    expect(next.get(widgetKey("one"))).toEqual(before);
    await next.close();
    const state = join(directory, "state");
    expect((await stat(state)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(state)) expect((await stat(join(state, name))).mode & 0o777).toBe(0o600);
  });

  it("given a writer killed at any moment, when reopened, then everything it acknowledged is there", async () => {
    const script = join(directory, "writer.mts");
    await writeFile(script, WRITER);
    let from = 1;
    for (const afterMs of [5, 60, 150]) {
      const child = fork(script, [join(directory, "state"), String(from)], {
        execArgv: ["--import", "tsx"],
        cwd: process.cwd(),
        stdio: "ignore",
        env: { PATH: process.env["PATH"] },
      });
      let last = { round: 0, version: "0" };
      const first = new Promise<void>((resolve) => {
        child.on("message", (message) => {
          last = message as typeof last;
          resolve();
        });
      });
      await first;
      await systemClock.sleep(afterMs);
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      const store = await open();
      const notes = store.list("Widget").map(({ status }) => Number(status?.["note"] ?? 0));
      expect(Math.max(...notes)).toBeGreaterThanOrEqual(last.round);
      expect(Number(store.currentVersion())).toBeGreaterThanOrEqual(Number(last.version));
      await store.close();
      from = last.round + 1_000;
    }
  });
});
