import { describe, expect, it } from "vitest";
import { cpuTimeMs } from "../../../src/adapters/sessions/process-times.ts";

describe("cpuTimeMs", () => {
  it.each([
    ["00:00:07", 7_000, "Linux"],
    ["01:02:03", 3_723_000, "Linux, hours"],
    ["2-01:00:00", 176_400_000, "Linux, days"],
    ["0:01.23", 1_230, "macOS"],
    ["123:45.60", 7_425_600, "macOS, many minutes"],
  ])("given %s, then it is %d ms (%s)", (text, ms) => expect(cpuTimeMs(text)).toBe(ms));
});
