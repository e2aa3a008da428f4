import { decodeCommit, encodeCommit } from "../domain/git/commit-object.ts";
import { changeTree, pathProblem } from "../domain/git/tree-change.ts";
import { decodeTree, encodeTree, treeProblem } from "../domain/git/tree-object.ts";
import { AdapterError } from "../errors/town-error.ts";
import type { CommitInfo, GitObjects, NewCommit, TreeChanges, TreeEntry } from "../ports/git.ts";
import { sha1 } from "./sha1.ts";

type Stored =
  | { readonly type: "blob"; readonly text: string }
  | { readonly type: "tree"; readonly entries: readonly TreeEntry[] }
  | { readonly type: "commit"; readonly commit: CommitInfo };

/**
 * Object store of a simulated repository: the ids are those that git itself would compute. What `sync` (or a ref
 * update) has not made durable is lost by `crash`. The methods that start with `peek` are the synchronous reads of the twin itself.
 */
export class MemoryObjects implements GitObjects {
  readonly emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  /** Somebody runs `git gc`; change at will. */
  collected = false;
  readonly #stored = new Map<string, Stored>();
  readonly #volatile = new Set<string>();
  readonly #now: () => number;
  #packed = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  async readBlob(id: string): Promise<string | undefined> {
    return this.peekBlob(id);
  }

  async readBlobs(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const id of ids) {
      const text = this.peekBlob(id);
      if (text !== undefined) found.set(id, text);
    }
    return found;
  }

  async readTree(id: string): Promise<readonly TreeEntry[]> {
    return this.peekTree(id);
  }

  async readCommit(id: string): Promise<CommitInfo | undefined> {
    return this.peekCommit(id);
  }

  async writeBlob(text: string): Promise<string> {
    return this.putBlob(text);
  }

  async writeTree(entries: readonly TreeEntry[]): Promise<string> {
    return this.putTree(entries);
  }

  async changeTree(tree: string, changes: TreeChanges): Promise<string> {
    const problem = [...changes.keys()].map(pathProblem).find((one) => one !== undefined);
    if (problem !== undefined) throw new AdapterError("InvalidTree", `Cannot change tree ${tree}: ${problem}.`);
    const bodies = {
      idBytes: 20,
      read: (id: string) => Promise.resolve(encodeTree(this.peekTree(id))),
      write: (body: Uint8Array) => Promise.resolve(this.putTree(decodeTree(body, 20))),
    };
    return (await changeTree(bodies, tree, changes)) ?? this.emptyTree;
  }

  async writeCommit(commit: NewCommit): Promise<string> {
    return this.putCommit(commit);
  }

  async sync(): Promise<void> {
    this.#volatile.clear();
  }

  restore(): Promise<void> {
    return this.sync();
  }

  async missing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(ids.filter((id) => id !== this.emptyTree && !this.#stored.has(id)));
  }

  async isCollected(): Promise<boolean> {
    return this.collected;
  }

  async allCommits(): Promise<readonly string[]> {
    return [...this.#stored].filter(([, { type }]) => type === "commit").map(([id]) => id);
  }

  async packOwn(): Promise<number> {
    return 0;
  }

  async looseCount(): Promise<number> {
    return this.#stored.size - this.#packed;
  }

  async packAll(): Promise<boolean> {
    if (this.collected) return false;
    this.#packed = this.#stored.size;
    return true;
  }

  async close(): Promise<void> {}

  has(id: string): boolean {
    return this.#stored.has(id);
  }

  peekBlob(id: string): string | undefined {
    const stored = this.#stored.get(id);
    return stored?.type === "blob" ? stored.text : undefined;
  }

  peekTree(id: string): readonly TreeEntry[] {
    if (id === this.emptyTree) return [];
    const stored = this.#stored.get(id);
    if (stored?.type === "tree") return stored.entries;
    throw new AdapterError("ObjectMissing", `Cannot read tree ${id}: there is no such tree in the repository.`);
  }

  peekCommit(id: string): CommitInfo | undefined {
    const stored = this.#stored.get(id);
    return stored?.type === "commit" ? stored.commit : undefined;
  }

  putBlob(text: string): string {
    const bytes = encoder.encode(text);
    // Lone surrogates do not survive the disk either.
    return this.#put("blob", bytes, () => ({ type: "blob", text: decoder.decode(bytes) }));
  }

  putTree(entries: readonly TreeEntry[]): string {
    const problem = treeProblem(entries);
    if (problem !== undefined) throw new AdapterError("InvalidTree", `Cannot write a tree: ${problem}.`);
    const body = encodeTree(entries);
    return this.#put("tree", body, () => ({ type: "tree", entries: decodeTree(body, 20) }));
  }

  putCommit(commit: NewCommit): string {
    const body = encodeCommit(commit, this.#now());
    const bytes = encoder.encode(body);
    const id = sha1(framed("commit", bytes));
    return this.#put("commit", bytes, () => ({ type: "commit", commit: decodeCommit(id, body) }));
  }

  /** Copies everything reachable from `id` out of another store, durably, as fetch and push do. */
  copyFrom(other: MemoryObjects, id: string): void {
    const pending = [id];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.#stored.has(next) && !this.#volatile.has(next)) continue;
      const stored = other.#stored.get(next);
      if (stored === undefined) continue;
      this.#stored.set(next, stored);
      this.#volatile.delete(next);
      if (stored.type === "tree") pending.push(...stored.entries.map((entry) => entry.id));
      if (stored.type === "commit") pending.push(stored.commit.tree, ...stored.commit.parents);
    }
  }

  /** Loses an object that was durable, as a disk or a foreign `git gc` may. */
  lose(id: string): void {
    this.#stored.delete(id);
    this.#volatile.delete(id);
  }

  /** Forgets objects that were never made durable, except those that `survives` keeps (none by default). */
  crash(survives: (id: string) => boolean = () => false): void {
    for (const id of this.#volatile) if (!survives(id)) this.#stored.delete(id);
    this.#volatile.clear();
  }

  #put(type: Stored["type"], body: Uint8Array, make: () => Stored): string {
    const id = sha1(framed(type, body));
    if (!this.#stored.has(id)) {
      this.#stored.set(id, make());
      this.#volatile.add(id);
    }
    return id;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function framed(type: string, body: Uint8Array): Uint8Array {
  const header = encoder.encode(`${type} ${body.length}\0`);
  const whole = new Uint8Array(header.length + body.length);
  whole.set(header);
  whole.set(body, header.length);
  return whole;
}
