import { AdapterError } from "../errors/town-error.ts";
import { fileError } from "../ports/file-error.ts";
import type { AppendFile, FileStat, Files, ReadFile } from "../ports/files.ts";
import type { DirectoryNode, DiskNode, DiskTree, FileNode, Place } from "./disk-tree.ts";

/** A method of Files, or `append`, or `sync`: the moment between a write and its being on disk. */
export type DiskOperation = Exclude<keyof Files, "watch"> | "append" | "sync";

/** What a mount needs of its disk. */
export interface MountedDisk {
  readonly tree: DiskTree;
  readonly capacityBytes: number;
  /** Before each step of each operation: throws the fault that strikes it; never returns once the mount's life is over. */
  step(files: MemoryFiles, operation: DiskOperation, path: string): Promise<void>;
  changedAt(path: string): void;
  watch(files: MemoryFiles, paths: readonly string[], changed: () => void): { close(): Promise<void> };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Files on a MemoryDisk, with the guarantees of the port; made by `disk.mount()`. */
export class MemoryFiles implements Files {
  readonly #disk: MountedDisk;

  constructor(disk: MountedDisk) {
    this.#disk = disk;
  }

  async readText(path: string): Promise<string | undefined> {
    const file = await this.#readFile("readText", path);
    return file === undefined ? undefined : decoder.decode(file.bytes.subarray(0, file.size));
  }

  async readFrom(path: string, start: number, maxBytes = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    const file = await this.#readFile("readFrom", path);
    return file?.bytes.slice(Math.min(start, file.size), Math.min(file.size, start + maxBytes));
  }

  async openRead(path: string): Promise<ReadFile | undefined> {
    const file = await this.#readFile("openRead", path);
    if (file === undefined) return undefined;
    const content = file.bytes.slice(0, file.size);
    let isOpen = true;
    return {
      size: content.length,
      bytes: (start, end) => {
        if (!isOpen) throw fileError("read", path, "EBADF");
        return content.subarray(start, end);
      },
      close: () => {
        isOpen = false;
        return Promise.resolve();
      },
    };
  }

  async writeAtomic(
    path: string,
    content: string | Uint8Array,
    options: { readonly mode?: number } = {},
  ): Promise<void> {
    await this.#step("writeAtomic", path);
    const bytes = this.#fitting("writeAtomic", path, content);
    const place = this.#find("writeAtomic", path, false);
    if (place.node?.kind === "Directory") throw fileError("write", path, "EISDIR");
    const file = this.#disk.tree.newFile(bytes, options.mode ?? 0o644, true);
    await this.#step("sync", path);
    this.#set(place, file, true);
  }

  async openAppend(path: string, options: { readonly mode?: number } = {}): Promise<AppendFile> {
    await this.#step("openAppend", path);
    const place = this.#find("openAppend", path);
    if (place.node?.kind === "Directory") throw fileError("open", path, "EISDIR");
    const file =
      place.node?.kind === "File" ? place.node : this.#disk.tree.newFile(new Uint8Array(), options.mode ?? 0o644, true);
    if (place.node === undefined) this.#set(place, file, true);
    return this.#appendFile(place.path, file);
  }

  async truncate(path: string, size: number): Promise<void> {
    await this.#step("truncate", path);
    const place = this.#find("truncate", path);
    this.#disk.tree.cut(fileAt(place, "truncate", path), size);
    this.#disk.changedAt(place.path);
  }

  async createExclusive(path: string, text: string, options: { readonly mode?: number } = {}): Promise<boolean> {
    await this.#step("createExclusive", path);
    const bytes = this.#fitting("createExclusive", path, text);
    await this.#step("sync", path);
    const place = this.#find("createExclusive", path, false);
    if (place.node !== undefined) return false;
    this.#set(place, this.#disk.tree.newFile(bytes, options.mode ?? 0o644, true), true);
    return true;
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#step("rename", from);
    const source = this.#find("rename", from, false);
    if (source.node === undefined) throw fileError("rename", from, "ENOENT");
    const target = this.#find("rename", to, false);
    if (target.node === source.node) return;
    if (`${target.path}/`.startsWith(`${source.path}/`)) throw fileError("rename", from, "EINVAL");
    refuseReplacing(source.node, target.node, to);
    this.#set(target, source.node, true);
    this.#set(source, undefined, true);
    this.#disk.tree.keepAlive(source.node);
  }

  async remove(path: string): Promise<void> {
    await this.#step("remove", path);
    const place = this.#existing("remove", path);
    if (place?.node === undefined) return;
    if (place.node.kind === "Directory") throw fileError("remove", path, "EISDIR");
    this.#set(place, undefined, false);
  }

  async removeTree(path: string): Promise<void> {
    await this.#step("removeTree", path);
    const place = this.#existing("removeTree", path);
    if (place?.node !== undefined) this.#set(place, undefined, false);
  }

  async makeDirectory(path: string, options: { readonly mode?: number } = {}): Promise<void> {
    await this.#step("makeDirectory", path);
    const parts = path.split("/").filter((part) => part !== "");
    for (let known = 1; known <= parts.length; known += 1) {
      const place = this.#find("makeDirectory", `/${parts.slice(0, known).join("/")}`);
      if (place.node === undefined) this.#set(place, this.#disk.tree.newDirectory(options.mode ?? 0o755), true);
      else if (place.node.kind !== "Directory")
        throw fileError("make directory", path, known === parts.length ? "EEXIST" : "ENOTDIR");
    }
  }

  async list(path: string): Promise<readonly string[]> {
    await this.#step("list", path);
    const node = this.#existing("list", path, true)?.node;
    if (node === undefined) return [];
    if (node.kind !== "Directory") throw fileError("list", path, "ENOTDIR");
    return [...node.entries.keys()].sort();
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.#step("stat", path);
    const node = this.#existing("stat", path)?.node;
    return node === undefined
      ? undefined
      : { kind: node.kind, size: node.kind === "File" ? node.size : 0, modifiedMs: node.modifiedMs, mode: node.mode };
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#step("copy", from);
    const source = fileAt(this.#find("copy", from), "copy", from);
    const place = this.#find("copy", to);
    if (place.node?.kind === "Directory") throw fileError("copy to", to, "EISDIR");
    if (this.#disk.tree.usedBytes + source.size > this.#disk.capacityBytes) throw fileError("copy to", to, "ENOSPC");
    this.#set(place, this.#disk.tree.newFile(source.bytes.slice(0, source.size), source.mode, false), false);
  }

  async symlink(target: string, path: string): Promise<void> {
    await this.#step("symlink", path);
    const place = this.#find("symlink", path, false);
    if (place.node !== undefined) throw fileError("link", path, "EEXIST");
    this.#set(place, this.#disk.tree.newLink(target), false);
  }

  async realPath(path: string): Promise<string | undefined> {
    await this.#step("realPath", path);
    const place = this.#existing("realPath", path, true);
    return place?.node === undefined ? undefined : place.path;
  }

  async freeBytes(path: string): Promise<number> {
    await this.#step("freeBytes", path);
    return Math.max(0, this.#disk.capacityBytes - this.#disk.tree.usedBytes);
  }

  watch(paths: readonly string[], changed: () => void): { close(): Promise<void> } {
    return this.#disk.watch(this, paths, changed);
  }

  async #step(operation: DiskOperation, path: string): Promise<void> {
    await this.#disk.step(this, operation, path);
  }

  #find(action: string, path: string, followLast = true): Place {
    return this.#disk.tree.find(path, action, followLast);
  }

  /** The place, or undefined when it cannot exist because a part of the path is missing. */
  #existing(action: string, path: string, followLast = false): Place | undefined {
    try {
      return this.#find(action, path, followLast);
    } catch (error) {
      if (error instanceof AdapterError && (error.code === "ENOENT" || error.code === "ENOTDIR")) return undefined;
      throw error;
    }
  }

  async #readFile(operation: DiskOperation, path: string): Promise<FileNode | undefined> {
    await this.#step(operation, path);
    const place = this.#existing(operation, path, true);
    return place?.node === undefined ? undefined : fileAt(place, "read", path);
  }

  #fitting(action: string, path: string, content: string | Uint8Array): Uint8Array {
    const bytes = typeof content === "string" ? encoder.encode(content) : content.slice();
    if (this.#disk.tree.usedBytes + bytes.length > this.#disk.capacityBytes) throw fileError(action, path, "ENOSPC");
    return bytes;
  }

  #set(place: Place, node: DiskNode | undefined, durable: boolean): void {
    this.#disk.tree.set(place, node, durable);
    this.#disk.changedAt(place.path);
  }

  #appendFile(path: string, file: FileNode): AppendFile {
    const disk = this.#disk;
    const step = (operation: DiskOperation): Promise<void> => this.#step(operation, path);
    let broken: Error | undefined;
    let acknowledged = file.size;
    let tail: Promise<void> = Promise.resolve();
    const append = async (text: string, durable: boolean): Promise<void> => {
      if (broken !== undefined) throw broken;
      await step("append");
      const bytes = encoder.encode(text);
      if (disk.tree.usedBytes + bytes.length > disk.capacityBytes) throw fileError("append to", path, "ENOSPC");
      disk.tree.append(file, bytes);
      disk.changedAt(path);
      if (durable) {
        try {
          await step("sync");
        } catch (error) {
          broken = error as Error;
          throw error;
        }
        file.synced = file.size;
      }
      acknowledged = file.size;
    };
    return {
      append: (text, options) => {
        const done = tail.then(() => append(text, options?.durable ?? true));
        tail = done.catch(() => undefined);
        return done;
      },
      get size() {
        return acknowledged;
      },
      close: async () => {
        await tail;
        broken ??= fileError("append to", path, "EBADF");
      },
    };
  }
}

function fileAt(place: Place, action: string, path: string): FileNode {
  if (place.node === undefined) throw fileError(action, path, "ENOENT");
  if (place.node.kind === "File") return place.node;
  throw fileError(action, path, "EISDIR");
}

function refuseReplacing(source: DiskNode, target: DiskNode | undefined, path: string): void {
  if (target === undefined) return;
  const sourceIsDirectory = source.kind === "Directory";
  if (sourceIsDirectory && target.kind !== "Directory") throw fileError("rename to", path, "ENOTDIR");
  if (!sourceIsDirectory && target.kind === "Directory") throw fileError("rename to", path, "EISDIR");
  if (target.kind === "Directory" && (target as DirectoryNode).entries.size > 0)
    throw fileError("rename to", path, "ENOTEMPTY");
}
