import { fileError } from "../ports/file-error.ts";
import type { Random } from "../ports/random.ts";

export interface FileNode {
  readonly kind: "File";
  bytes: Uint8Array;
  size: number;
  /** Bytes that a power loss leaves. */
  synced: number;
  mode: number;
  modifiedMs: number;
}

export interface DirectoryNode {
  readonly kind: "Directory";
  readonly entries: Map<string, DiskNode>;
  /** Names whose change is not on disk yet, with what a power loss brings back. */
  readonly unsynced: Map<string, DiskNode | undefined>;
  mode: number;
  modifiedMs: number;
}

export interface LinkNode {
  readonly kind: "Link";
  readonly target: string;
  readonly mode: number;
  readonly modifiedMs: number;
}

export type DiskNode = FileNode | DirectoryNode | LinkNode;

/** A place in the tree: it may be empty (`node` undefined), but its directory exists. */
export interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: DiskNode | undefined;
  /** Path without links, `.` and `..`. */
  readonly path: string;
}

interface Step {
  readonly name: string;
  readonly directory: DirectoryNode;
}

interface Walk {
  readonly path: string;
  readonly action: string;
  readonly followLast: boolean;
  /** Directories entered so far. */
  readonly trail: Step[];
  /** Names still to go, the next one last. */
  readonly pending: string[];
  links: number;
}

const MAX_LINKS = 40;

/** The inodes of a disk in memory: path walking through symbolic links, and what is durable. */
export class DiskTree {
  readonly #root: DirectoryNode;
  readonly #now: () => number;
  usedBytes = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#root = this.newDirectory(0o755);
  }

  newDirectory(mode: number): DirectoryNode {
    return { kind: "Directory", entries: new Map(), unsynced: new Map(), mode, modifiedMs: this.#now() };
  }

  newFile(bytes: Uint8Array, mode: number, durable: boolean): FileNode {
    this.usedBytes += bytes.length;
    return {
      kind: "File",
      bytes,
      size: bytes.length,
      synced: durable ? bytes.length : 0,
      mode,
      modifiedMs: this.#now(),
    };
  }

  newLink(target: string): LinkNode {
    return { kind: "Link", target, mode: 0o777, modifiedMs: this.#now() };
  }

  append(file: FileNode, bytes: Uint8Array): void {
    const needed = file.size + bytes.length;
    if (needed > file.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, file.bytes.length * 2, 256));
      grown.set(file.bytes.subarray(0, file.size));
      file.bytes = grown;
    }
    file.bytes.set(bytes, file.size);
    file.size = needed;
    file.modifiedMs = this.#now();
    this.usedBytes += bytes.length;
  }

  /** Durable, as the port promises. */
  cut(file: FileNode, size: number): void {
    if (size > file.size) this.append(file, new Uint8Array(size - file.size));
    this.usedBytes -= file.size - size;
    file.size = size;
    file.synced = size;
    file.modifiedMs = this.#now();
  }

  /** Puts `node` at a place, or empties it. A durable change takes all earlier ones of the directory with it (fsync). */
  set(place: Place, node: DiskNode | undefined, durable: boolean): void {
    const { directory, name } = place;
    const former = directory.entries.get(name);
    if (former !== undefined) this.#account(former, -1);
    if (node === undefined) directory.entries.delete(name);
    else directory.entries.set(name, node);
    directory.modifiedMs = this.#now();
    if (durable) directory.unsynced.clear();
    else if (!directory.unsynced.has(name)) directory.unsynced.set(name, former);
  }

  /** After `set` has moved a node elsewhere: its bytes are still in use. */
  keepAlive(node: DiskNode): void {
    this.#account(node, 1);
  }

  /** Finds a place. Throws ENOENT or ENOTDIR when its directory is missing, ELOOP for circular links. */
  find(path: string, action: string, followLast = true): Place {
    const walk: Walk = { path, action, followLast, trail: [], pending: segments(path).reverse(), links: 0 };
    for (;;) {
      const name = walk.pending.pop();
      if (name === undefined) return this.#rootOr(walk.trail);
      if (name === "..") walk.trail.pop();
      else {
        const place = this.#enter(walk, name);
        if (place !== undefined) return place;
      }
    }
  }

  /** One step of a walk: into a directory, through a link, or to the end. */
  #enter(walk: Walk, name: string): Place | undefined {
    const directory = walk.trail.at(-1)?.directory ?? this.#root;
    const node = directory.entries.get(name);
    const last = walk.pending.length === 0;
    if (node?.kind === "Link" && (!last || walk.followLast)) {
      walk.links += 1;
      if (walk.links > MAX_LINKS) throw fileError(walk.action, walk.path, "ELOOP");
      if (node.target.startsWith("/")) walk.trail.length = 0;
      walk.pending.push(...segments(node.target).reverse());
      return undefined;
    }
    if (last && node?.kind !== "Directory") return { directory, name, node, path: pathOf(walk.trail, name) };
    if (node === undefined) throw fileError(walk.action, walk.path, "ENOENT");
    if (node.kind !== "Directory") throw fileError(walk.action, walk.path, "ENOTDIR");
    walk.trail.push({ name, directory: node });
    return undefined;
  }

  /** The path without links, as far as it exists; the rest is taken as it is. */
  canonical(path: string): string {
    const parts = segments(path);
    for (let known = parts.length; known > 0; known -= 1) {
      try {
        const place = this.find(`/${parts.slice(0, known).join("/")}`, "find");
        if (place.node !== undefined) return [place.path, ...parts.slice(known)].join("/");
      } catch {
        // A shorter part of the path may exist.
      }
    }
    return path;
  }

  dropUnsynced(random: Random | undefined): void {
    this.#dropIn(this.#root, random);
    this.usedBytes = sizeOf(this.#root);
  }

  #dropIn(directory: DirectoryNode, random: Random | undefined): void {
    for (const [name, former] of directory.unsynced) {
      if (random !== undefined && random.float() < 0.5) continue;
      if (former === undefined) directory.entries.delete(name);
      else directory.entries.set(name, former);
    }
    directory.unsynced.clear();
    for (const node of directory.entries.values()) {
      if (node.kind === "Directory") this.#dropIn(node, random);
      if (node.kind !== "File") continue;
      const survived = random === undefined ? 0 : Math.floor(random.float() * (node.size - node.synced + 1));
      node.size = node.synced + survived;
      node.synced = node.size;
    }
  }

  #rootOr(trail: readonly Step[]): Place {
    const last = trail.at(-1);
    if (last === undefined) return { directory: this.#root, name: ".", node: this.#root, path: "/" };
    return {
      directory: trail.at(-2)?.directory ?? this.#root,
      name: last.name,
      node: last.directory,
      path: pathOf(trail.slice(0, -1), last.name),
    };
  }

  #account(node: DiskNode, sign: 1 | -1): void {
    this.usedBytes += sign * sizeOf(node);
  }
}

function segments(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function pathOf(trail: readonly { readonly name: string }[], name: string): string {
  return `/${[...trail.map((step) => step.name), name].join("/")}`;
}

function sizeOf(node: DiskNode): number {
  if (node.kind === "File") return node.size;
  if (node.kind === "Link") return 0;
  let total = 0;
  for (const child of node.entries.values()) total += sizeOf(child);
  return total;
}
