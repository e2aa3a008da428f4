import type { GitObjects, TreeChanges, TreeEntry } from "../ports/git.ts";

/**
 * Mostly of the root and the directories of logs, which are read for each commit: those of records are many and rarely
 * looked at twice. Some 200 bytes each.
 */
const keptEntries = 8_000;

/** Reads and rewrites trees by path. Trees never change, so those read lately are kept, up to some entries together. */
export class TreeWriter {
  readonly #objects: GitObjects;
  /** The one that was read longest ago first. */
  readonly #trees = new Map<string, ReadonlyMap<string, TreeEntry>>();
  #kept = 0;

  constructor(objects: GitObjects) {
    this.#objects = objects;
  }

  /** The tree with the changes applied; directories that become empty disappear. */
  apply(tree: string, changes: TreeChanges): Promise<string> {
    return changes.size === 0 ? Promise.resolve(tree) : this.#objects.changeTree(tree, changes);
  }

  async entries(tree: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const known = this.#trees.get(tree);
    if (known !== undefined) {
      this.#trees.delete(tree);
      this.#trees.set(tree, known);
      return known;
    }
    const entries = new Map((await this.#objects.readTree(tree)).map((entry) => [entry.name, entry]));
    this.#keep(tree, entries);
    return entries;
  }

  /** Blob of a file; undefined when there is none. */
  async find(tree: string, path: string): Promise<string | undefined> {
    const names = path.split("/");
    const last = names.pop() ?? "";
    let directory = tree;
    for (const name of names) {
      const entry = (await this.entries(directory)).get(name);
      if (entry?.mode !== "040000") return undefined;
      directory = entry.id;
    }
    const entry = (await this.entries(directory)).get(last);
    return entry === undefined || entry.mode === "040000" ? undefined : entry.id;
  }

  #keep(id: string, entries: ReadonlyMap<string, TreeEntry>): void {
    if (this.#trees.has(id)) return;
    this.#trees.set(id, entries);
    this.#kept += entries.size;
    for (const [oldest, { size }] of this.#trees) {
      if (this.#kept <= keptEntries) return;
      this.#trees.delete(oldest);
      this.#kept -= size;
    }
  }
}
