import type { GitObjects, TreeChanges, TreeEntry } from "../ports/git.ts";

/** Mostly the root and the directories of logs: those of records are many and rarely looked at twice. */
const keptTrees = 1_024;

/** Reads and rewrites trees by path. Trees never change, so those read before are kept, a bounded number. */
export class TreeWriter {
  readonly #objects: GitObjects;
  readonly #trees = new Map<string, ReadonlyMap<string, TreeEntry>>();

  constructor(objects: GitObjects) {
    this.#objects = objects;
  }

  /** The tree with the changes applied; directories that become empty disappear. */
  apply(tree: string, changes: TreeChanges): Promise<string> {
    return changes.size === 0 ? Promise.resolve(tree) : this.#objects.changeTree(tree, changes);
  }

  async entries(tree: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const known = this.#trees.get(tree);
    if (known !== undefined) return known;
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
    this.#trees.delete(id);
    this.#trees.set(id, entries);
    if (this.#trees.size <= keptTrees) return;
    const oldest = this.#trees.keys().next().value;
    if (oldest !== undefined) this.#trees.delete(oldest);
  }
}
