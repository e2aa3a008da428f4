import { describe, expect, it } from "vitest";
import { TreeWriter } from "../../src/graph/tree-writer.ts";
import type { GitObjects, TreeEntry } from "../../src/ports/git.ts";

/** Trees of 500 files each, by number; tells which were read. */
function objects(read: string[]): GitObjects {
  return {
    readTree: (tree: string): Promise<readonly TreeEntry[]> => {
      read.push(tree);
      const entries = Array.from({ length: 500 }, (_, file) => ({
        name: `${file}`,
        mode: "100644",
        id: `${tree}-${file}`,
      }));
      return Promise.resolve(entries as readonly TreeEntry[]);
    },
  } as unknown as GitObjects;
}

describe("TreeWriter", () => {
  it("given large trees one after the other, when older ones are read again, then few were kept, those read last", async () => {
    const read: string[] = [];
    const trees = new TreeWriter(objects(read));
    for (let tree = 0; tree < 100; tree++) {
      await trees.entries("root");
      expect(await trees.find(`${tree}`, "7")).toBe(`${tree}-7`);
    }
    expect(read).toHaveLength(101);
    for (const tree of ["99", "98", "root"]) await trees.entries(tree);
    expect(read).toHaveLength(101);
    for (let tree = 0; tree < 50; tree++) await trees.entries(`${tree}`);
    expect(read).toHaveLength(151);
  });
});
