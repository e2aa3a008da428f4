import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const VERBS = fileURLToPath(new URL("../../src/verbs/", import.meta.url));

/** Each refusal in a file: its text from `new ApiStatusError(` to the parenthesis that ends it. */
function refusals(text: string): readonly string[] {
  return [...text.matchAll(/new ApiStatusError\(/g)].map((match) => {
    const from = match.index + match[0].length;
    let depth = 1;
    let to = from;
    for (; depth > 0 && to < text.length; to += 1) depth += text[to] === "(" ? 1 : text[to] === ")" ? -1 : 0;
    return text.slice(from, to - 1);
  });
}

const FILES = readdirSync(VERBS)
  .map((file) => ({ file, found: refusals(readFileSync(`${VERBS}${file}`, "utf8")) }))
  .filter(({ found }) => found.length > 0);

describe("what an agent is refused with", () => {
  it("given the verbs, when looked through, then there are refusals to look at", () => {
    expect(FILES.flatMap(({ found }) => found).length).toBeGreaterThan(60);
  });

  it.each(FILES)("given the refusals of $file, when read, then each ends with what to do next", ({ found }) => {
    // `usage` is a hint that several refusals of one function share.
    expect(found.filter((refusal) => !/\bhint\b|\busage\b/.test(refusal))).toEqual([]);
  });
});
