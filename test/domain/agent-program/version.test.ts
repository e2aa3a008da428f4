import { describe, expect, it } from "vitest";
import { compareVersions, isWithin, versionIn, widened } from "../../../src/domain/agent-program/version.ts";

describe("versions of programs", () => {
  it.each([
    ["2.1.197 (Claude Code)\n", "2.1.197"],
    ["codex-cli 0.169.0", "0.169.0"],
    ["v0.61.0-nightly.3 build 5", "0.61.0-nightly.3"],
    ["no version", undefined],
  ])("given '%s', when read, then it is %s", (text, version) => {
    expect(versionIn(text)).toBe(version);
  });

  it("given versions, when sorted, then numbers count and a pre-release comes before its release", () => {
    const sorted = ["1.10.0", "1.9.3", "1.10.0-rc.1", "1.10", "0.9"].toSorted(compareVersions);
    expect(sorted).toEqual(["0.9", "1.9.3", "1.10.0-rc.1", "1.10.0", "1.10"]);
  });

  it("given a range, when widened, then it holds both ends and what is between", () => {
    const range = widened(widened(widened(undefined, "1.2.0"), "1.10.0"), "1.4.0");
    expect(range).toEqual({ from: "1.2.0", to: "1.10.0" });
    expect([isWithin("1.2.0", range), isWithin("1.9.9", range), isWithin("1.10.1", range)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
