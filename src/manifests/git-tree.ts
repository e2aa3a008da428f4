import type { GitObjects, TreeEntry } from "../ports/git.ts";

/** A file in a tree. */
export interface TreeFile {
  readonly mode: TreeEntry["mode"];
  readonly id: string;
}

/** Files by path; null removes. Directories come and go with their files. */
export type TreeChanges = ReadonlyMap<string, TreeFile | null>;

const DIRECTORY = "040000";

/** The entry at a path (`a/b.yaml`) of a tree; undefined when there is none. Reads one tree per level. */
export async function entryAt(objects: GitObjects, tree: string, path: string): Promise<TreeFile | undefined> {
  let current: TreeFile = { mode: DIRECTORY, id: tree };
  for (const name of path.split("/")) {
    if (current.mode !== DIRECTORY) return undefined;
    const found = (await objects.readTree(current.id)).find((entry) => entry.name === name);
    if (found === undefined) return undefined;
    current = found;
  }
  return current;
}

/**
 * Writes the tree that results from changes; only directories on the way to a change are read and written. Gives the
 * id of the new root tree.
 */
export async function changeTree(objects: GitObjects, root: string, changes: TreeChanges): Promise<string> {
  return (await changedDirectory(objects, root, changes)) ?? objects.emptyTree;
}

async function changedDirectory(
  objects: GitObjects,
  tree: string | undefined,
  changes: TreeChanges,
): Promise<string | undefined> {
  const entries = new Map((tree === undefined ? [] : await objects.readTree(tree)).map((entry) => [entry.name, entry]));
  const below = new Map<string, Map<string, TreeFile | null>>();
  for (const [path, file] of changes) {
    const slash = path.indexOf("/");
    if (slash !== -1) nested(below, path.slice(0, slash)).set(path.slice(slash + 1), file);
    else if (file === null) entries.delete(path);
    else entries.set(path, { name: path, ...file });
  }
  for (const [name, inner] of below) {
    const former = entries.get(name);
    const id = await changedDirectory(objects, former?.mode === DIRECTORY ? former.id : undefined, inner);
    if (id !== undefined) entries.set(name, { name, mode: DIRECTORY, id });
    else if (former?.mode === DIRECTORY) entries.delete(name);
  }
  return entries.size === 0 ? undefined : objects.writeTree([...entries.values()]);
}

function nested(groups: Map<string, Map<string, TreeFile | null>>, name: string): Map<string, TreeFile | null> {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const made = new Map<string, TreeFile | null>();
  groups.set(name, made);
  return made;
}

/**
 * Every file below a directory of a tree, by path. Trees are immutable, so `known` remembers those of the last listing by
 * id, and the next reads only what changed.
 */
export async function filesOfTree(
  objects: GitObjects,
  tree: string,
  directory: string,
  known: Map<string, readonly TreeEntry[]> = new Map(),
): Promise<readonly ({ readonly path: string } & TreeFile)[]> {
  const top = directory === "" ? { mode: DIRECTORY, id: tree } : await entryAt(objects, tree, directory);
  if (top === undefined || top.mode !== DIRECTORY) return [];
  const files: ({ path: string } & TreeFile)[] = [];
  const seen = new Map<string, readonly TreeEntry[]>();
  const visit = async (id: string, prefix: string): Promise<void> => {
    const entries = known.get(id) ?? (await objects.readTree(id));
    seen.set(id, entries);
    for (const { name, mode, id: below } of entries) {
      if (mode === DIRECTORY) await visit(below, `${prefix}${name}/`);
      else files.push({ path: `${prefix}${name}`, mode, id: below });
    }
  };
  await visit(top.id, directory === "" ? "" : `${directory}/`);
  known.clear();
  for (const [id, entries] of seen) known.set(id, entries);
  return files;
}
