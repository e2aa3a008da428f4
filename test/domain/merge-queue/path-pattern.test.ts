import { describe, expect, it } from "vitest";
import { matchesPath } from "../../../src/domain/merge-queue/path-pattern.ts";

describe("path patterns", () => {
  it.each([
    { pattern: "src/**", path: "src/a/b.ts", matches: true },
    { pattern: "src/**", path: "src", matches: false },
    { pattern: "src/", path: "src/a.ts", matches: true },
    { pattern: "**/*.md", path: "README.md", matches: true },
    { pattern: "**/*.md", path: "docs/a/b.md", matches: true },
    { pattern: "*.md", path: "docs/b.md", matches: false },
    { pattern: "docs/**/index.html", path: "docs/index.html", matches: true },
    { pattern: "docs/**/index.html", path: "docs/a/b/index.html", matches: true },
    { pattern: "a?.ts", path: "ab.ts", matches: true },
    { pattern: "a?.ts", path: "a/.ts", matches: false },
    { pattern: "a+(b).ts", path: "a+(b).ts", matches: true },
    { pattern: "a.ts", path: "axts", matches: false },
  ])("given $pattern, when asked for $path, then it answers $matches", ({ pattern, path, matches }) => {
    expect(matchesPath(pattern, path)).toBe(matches);
  });
});
