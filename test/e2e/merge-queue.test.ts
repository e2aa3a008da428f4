import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TownProcess } from "./town-process.ts";

const WORK = 9;

describe("the merge queue of a town", () => {
  let town: TownProcess;
  let project: string;
  let runs: string;
  let open: string;

  beforeEach(() => {
    town = new TownProcess();
    runs = join(town.home, "gate-runs");
    open = join(town.home, "gate-is-open");
    // The gate waits until everything is handed in, so that there is a queue behind what is tested first.
    const gate = `echo run >> ${runs}; while [ ! -e ${open} ]; do sleep 0.1; done; ! grep -q BAD *.txt`;
    project = town.initWithRig({ gate });
  });

  afterEach(() => town.end());

  const requests = (): { spec: { bead: string; title: string }; status: Record<string, unknown> }[] =>
    (town.json("get", "mergerequests", "-n", "api") as { items: never[] } | undefined)?.items ?? [];

  it("given nine requests with one culprit among those that queue, when the gate opens, then they land in batches and only the culprit goes back", async () => {
    const script = (index: number): string =>
      index === WORK - 2
        ? `if [ "$TOWN_ATTEMPT" = 1 ]; then echo BAD > ${index}.txt; else echo good > ${index}.txt; fi`
        : `echo good > ${index}.txt`;
    town.declareWork(
      Array.from({ length: WORK }, (_, index) => ({
        name: `i${index}`,
        title: `Item ${index}`,
        script: script(index),
      })),
    );
    expect(town.run("up", "-d")).toMatchObject({ status: 0 });
    await town.until("all is handed in", () => requests().length === WORK);
    const testing = requests().filter(({ status }) => status["state"] === "Testing");
    expect(testing.length).toBeGreaterThan(0);
    for (const { status } of testing) {
      expect(status["gate"]).toBe("test");
      expect(status["batch"]).toBe(`${String(status["position"])}/${testing.length}`);
    }
    writeFileSync(open, "");
    await town.until("all is merged", () => {
      const merged = requests().filter(({ status }) => status["state"] === "Merged");
      return merged.length === WORK;
    });
    const rejected = requests().filter(({ status }) => status["state"] === "Rejected");
    expect(rejected.map(({ spec }) => spec.title)).toEqual([expect.stringContaining(`Item ${WORK - 2}`)]);
    for (let index = 0; index < WORK; index += 1) expect(existsSync(join(project, `${index}.txt`))).toBe(true);
    const moves = town.git(project, "reflog", "show", "--format=%H", "main").split("\n").length - 1;
    expect(moves).toBeLessThan(WORK);
    // The first ones, a red batch of at most eight, and what came back: serially it would be eleven and the target's.
    expect(readFileSync(runs, "utf8").trim().split("\n").length).toBeLessThanOrEqual(1 + 7 + 2);
    expect(town.run("get", "mergerequests", "-n", "api").stdout).toMatch(/NAME\s+STATE\s+POS\s+BATCH/);
  });
});
