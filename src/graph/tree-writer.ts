import type { GitObjects, TreeEntry } from "../ports/git.ts";

/** A file of a tree to set to a blob, or to remove (null). */
export type TreeChanges = ReadonlyMap<string, string | null>;

const keptTrees = 8_192;

/** Reads and rewrites trees by path. Trees never change, so those read or written before are kept, a bounded number. */
export class TreeWriter {
  readonly #objects: GitObjects;
  readonly #trees = new Map<string, ReadonlyMap<string, TreeEntry>>();

  constructor(objects: GitObjects) {
    this.#objects = objects;
  }

  /** The tree with the changes applied; directories that become empty disappear. */
  async apply(tree: string, changes: TreeChanges): Promise<string> {
    if (changes.size === 0) return tree;
    return (await this.#applyBelow(tree, [...changes])) ?? this.#objects.emptyTree;
  }

  async #applyBelow(
    tree: string | undefined,
    changes: readonly (readonly [string, string | null])[],
  ): Promise<string | undefined> {
    const entries = new Map(tree === undefined ? [] : await this.entries(tree));
    const below = new Map<string, (readonly [string, string | null])[]>();
    for (const [path, blob] of changes) {
      const slash = path.indexOf("/");
      if (slash < 0) {
        if (blob === null) entries.delete(path);
        else entries.set(path, { mode: "100644", name: path, id: blob });
        continue;
      }
      const name = path.slice(0, slash);
      const list = below.get(name) ?? [];
      list.push([path.slice(slash + 1), blob]);
      below.set(name, list);
    }
    await Promise.all(
      [...below].map(async ([name, list]) => {
        const old = entries.get(name);
        const id = await this.#applyBelow(old?.mode === "040000" ? old.id : undefined, list);
        if (id === undefined) entries.delete(name);
        else entries.set(name, { mode: "040000", name, id });
      }),
    );
    if (entries.size === 0) return undefined;
    const sorted = [...entries.values()].sort(compareEntries);
    const id = await this.#objects.writeTree(sorted);
    this.#keep(id, new Map(sorted.map((entry) => [entry.name, entry])));
    return id;
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

// Git sorts a directory as if its name ended in a slash.
function compareEntries(a: TreeEntry, b: TreeEntry): number {
  const left = a.mode === "040000" ? `${a.name}/` : a.name;
  const right = b.mode === "040000" ? `${b.name}/` : b.name;
  return left < right ? -1 : left > right ? 1 : 0;
}
