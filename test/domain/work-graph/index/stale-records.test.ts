import { describe, expect, it } from "vitest";
import { EdgeIndex } from "../../../../src/domain/work-graph/index/edge-index.ts";
import { RecordLayers } from "../../../../src/domain/work-graph/index/record-layers.ts";
import { StaleRecords } from "../../../../src/domain/work-graph/index/stale-records.ts";
import { bead } from "../beads.ts";

describe("StaleRecords", () => {
  it("given beads of other stores that change all night, when nobody asks what is ready here, then only those that are referred to are marked", () => {
    const records = new RecordLayers();
    const edges = new EdgeIndex(records);
    records.set("hq-1", bead("hq-1", { needs: [["api-7", "blocks"]] }));
    const stale = new StaleRecords(edges);
    for (let round = 0; round < 3; round++) for (let id = 0; id < 1_000; id++) stale.markOutside(`api-${id}`);
    expect(stale.size).toBe(1);
    expect(stale.take()).toEqual(new Set(["api-7", "hq-1"]));
    expect(stale.size).toBe(0);
  });
});
