import { describe, expect, it } from "vitest";
import { inEventOrder, type EventObject } from "../../../src/cli/output/describe.ts";

const event = (name: string, lastTimestamp: string, resourceVersion?: string): EventObject => ({
  lastTimestamp,
  metadata: { name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
});

describe("inEventOrder", () => {
  it("given events of one second, when sorted, then what was written first comes first, whatever their names", () => {
    const events = [
      event("ended", "2026-01-02T00:00:01Z", "99"),
      event("started", "2026-01-02T00:00:01Z", "101"),
      event("before", "2026-01-02T00:00:00Z", "400"),
      event("starting", "2026-01-02T00:00:01Z", "100"),
    ];
    expect(inEventOrder(events).map(({ metadata }) => metadata.name)).toEqual([
      "before",
      "ended",
      "starting",
      "started",
    ]);
  });
});
