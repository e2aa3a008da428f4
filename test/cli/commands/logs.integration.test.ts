import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runTown } from "../run-town.ts";
import { sampleTown } from "../sample-town.ts";

describe("logs of a merge request", () => {
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "town-logs-"));
    writeFileSync(join(directory, "gate.log"), "one\ntwo\u001b[2J\nthree\n");
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const townWith = (status: object) => {
    const town = sampleTown();
    town.objects.push({
      apiVersion: "work.town.dev/v1alpha1",
      kind: "MergeRequest",
      metadata: { name: "api-m1", namespace: "api", uid: "m1" },
      spec: { bead: "api-x1" },
      status: { state: "Rejected", ...status },
    });
    return town;
  };

  it("given a gate that ran, when its log is asked for, then it is printed, without what moves a terminal", async () => {
    const log = join(directory, "gate.log");
    expect(await runTown(townWith({ log }), "logs mr/api-m1")).toMatchObject({ out: "one\ntwo\nthree\n", code: 0 });
    expect((await runTown(townWith({ log }), "logs mr/api-m1 -n api --tail 1")).out).toBe("three\n");
  });

  it("given no gate yet, or a log that is gone, when asked for, then it says so", async () => {
    expect(await runTown(townWith({}), "logs mr/api-m1")).toMatchObject({
      code: 4,
      err: "error: no gate has run for api-m1 yet\nhint: `town describe mr/api-m1`\n",
    });
    expect((await runTown(townWith({ log: join(directory, "gone") }), "logs mr/api-m1")).err).toContain("no longer at");
  });
});
