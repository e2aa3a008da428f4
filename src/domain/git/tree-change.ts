import type { TreeEntry } from "./git-object.ts";
import { bytesOfHex, decodeTree, encodeTree, treeProblem } from "./tree-object.ts";

/** Files by path: set to a blob (mode `100644`), or removed (null). */
export type TreeChanges = ReadonlyMap<string, string | null>;

/** Where the bodies of trees are kept; `idBytes` is 20 for sha1 and 32 for sha256 repositories. */
export interface TreeBodies {
  readonly idBytes: number;
  read(id: string): Promise<Uint8Array>;
  /** `path`: of the directory, "" for the root. */
  write(body: Uint8Array, path: string): Promise<string>;
}

/** Why a path may not be written into a tree, or undefined. */
export function pathProblem(path: string): string | undefined {
  for (const name of path.split("/")) {
    const problem = treeProblem([{ mode: "100644", name, id: "" }]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/**
 * The tree with the changes applied; directories that become empty disappear. Undefined: nothing is left. Trees are changed
 * as bytes: a directory of hundreds of entries is neither decoded nor sorted when one of them gets another content.
 */
export async function changeTree(
  bodies: TreeBodies,
  tree: string | undefined,
  changes: Iterable<readonly [path: string, blob: string | null]>,
  at = "",
): Promise<string | undefined> {
  const body = tree === undefined ? new Uint8Array() : await bodies.read(tree);
  const entries = new Map<string, TreeEntry | null>();
  const below = new Map<string, (readonly [string, string | null])[]>();
  for (const [path, blob] of changes) {
    const slash = path.indexOf("/");
    if (slash < 0) {
      entries.set(path, blob === null ? null : { mode: "100644", name: path, id: blob });
      continue;
    }
    const name = path.slice(0, slash);
    const list = below.get(name);
    if (list === undefined) below.set(name, [[path.slice(slash + 1), blob]]);
    else list.push([path.slice(slash + 1), blob]);
  }
  const places = locate(body, bodies.idBytes, [...entries.keys(), ...below.keys()]);
  await Promise.all(
    [...below].map(async ([name, list]) => {
      const place = places.get(name);
      const old = place === undefined ? undefined : entryAt(body, bodies.idBytes, place);
      const directory = old?.mode === "040000" ? old.id : undefined;
      const id = await changeTree(bodies, directory, list, `${at}${name}/`);
      if (id !== undefined) entries.set(name, { mode: "040000", name, id });
      else if (directory !== undefined) entries.set(name, null);
    }),
  );
  const changed = patched(body, places, entries) ?? rebuilt(body, bodies.idBytes, entries);
  return changed.length === 0 ? undefined : bodies.write(changed, at);
}

/** Where an entry is in the body of a tree: its first byte, that of its name, and the NUL behind the name. */
interface Place {
  readonly start: number;
  readonly nameAt: number;
  readonly end: number;
}

/** Places of some entries, in one walk over the bytes. */
function locate(body: Uint8Array, idBytes: number, names: readonly string[]): ReadonlyMap<string, Place> {
  const wanted = names.map((name) => ({ name, bytes: encoder.encode(name) }));
  const places = new Map<string, Place>();
  for (let start = 0; start < body.length && places.size < wanted.length; ) {
    let nameAt = start;
    while (body[nameAt] !== 0x20) nameAt++;
    nameAt++;
    let end = nameAt;
    while (body[end] !== 0) end++;
    for (const { name, bytes } of wanted) {
      if (isAt(body, nameAt, end, bytes)) places.set(name, { start, nameAt, end });
    }
    start = end + 1 + idBytes;
  }
  return places;
}

function isAt(body: Uint8Array, from: number, to: number, bytes: Uint8Array): boolean {
  if (to - from !== bytes.length) return false;
  for (let i = 0; i < bytes.length; i++) if (body[from + i] !== bytes[i]) return false;
  return true;
}

function entryAt(body: Uint8Array, idBytes: number, { start, end }: Place): TreeEntry | undefined {
  return decodeTree(body.subarray(start, end + 1 + idBytes), idBytes)[0];
}

/** With other ids in the same entries; undefined when entries come, go or change their mode. */
function patched(
  body: Uint8Array,
  places: ReadonlyMap<string, Place>,
  entries: ReadonlyMap<string, TreeEntry | null>,
): Uint8Array | undefined {
  const copy = body.slice();
  for (const [name, entry] of entries) {
    const place = places.get(name);
    if (place === undefined || entry === null) return undefined;
    const mode = encoder.encode(entry.mode.replace(/^0/, ""));
    if (!isAt(body, place.start, place.nameAt - 1, mode)) return undefined;
    copy.set(bytesOfHex(entry.id), place.end + 1);
  }
  return copy;
}

function rebuilt(body: Uint8Array, idBytes: number, entries: ReadonlyMap<string, TreeEntry | null>): Uint8Array {
  const all = new Map(decodeTree(body, idBytes).map((entry) => [entry.name, entry]));
  for (const [name, entry] of entries) {
    if (entry === null) all.delete(name);
    else all.set(name, entry);
  }
  return encodeTree([...all.values()]);
}

const encoder = new TextEncoder();
