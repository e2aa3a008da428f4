import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { decodeCommit, encodeCommit } from "../../domain/git/commit-object.ts";
import { changeTree, pathProblem, type TreeChanges } from "../../domain/git/tree-change.ts";
import { decodeTree, encodeTree, treeProblem } from "../../domain/git/tree-object.ts";
import { AdapterError } from "../../errors/town-error.ts";
import type { CommitInfo, GitObjects, NewCommit, TreeEntry } from "../../ports/git.ts";
import { diskFailure } from "./disk.ts";
import { isGcRunning, takeGcLock } from "./gc-lock.ts";
import type { GitCommand } from "./git-command.ts";
import { ObjectReader } from "./object-reader.ts";
import { ObjectWriter } from "./object-writer.ts";
import { OwnPacks } from "./own-packs.ts";
import { type TreeCache, TreeCaches } from "./tree-cache.ts";

export interface NodeGitObjectsOptions {
  readonly command: GitCommand;
  readonly commonDirectory: string;
  readonly hash: "sha1" | "sha256";
  /** Where trees that were read are kept. Default: a place of its own. */
  readonly trees?: TreeCache;
}

/** Ids of the tree without entries: the hash of `tree 0` and a zero byte. Loading node:crypto for it takes 3 ms. */
const EMPTY_TREES = {
  sha1: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
  sha256: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
} as const;

/** `GitObjects` of a repository on disk: written by this program, read through one lasting `git cat-file`. */
export class NodeGitObjects implements GitObjects {
  readonly emptyTree: string;
  readonly reader: ObjectReader;
  readonly #writer: ObjectWriter;
  readonly #packs: OwnPacks;
  readonly #trees: TreeCache;
  readonly #idBytes: number;
  readonly #commonDirectory: string;
  readonly #command: GitCommand;
  #packing: Promise<unknown> = Promise.resolve();

  constructor({ command, commonDirectory, hash, trees = new TreeCaches().ofRepository() }: NodeGitObjectsOptions) {
    this.#trees = trees;
    this.#commonDirectory = commonDirectory;
    this.#command = command;
    this.#idBytes = hash === "sha1" ? 20 : 32;
    this.emptyTree = EMPTY_TREES[hash];
    this.reader = new ObjectReader(command, { gitDirectory: commonDirectory });
    this.#writer = new ObjectWriter({ commonDirectory, hash, reader: this.reader });
    this.#packs = new OwnPacks(command, commonDirectory, hash);
  }

  async readBlob(id: string): Promise<string | undefined> {
    return (await this.#read(id, "blob"))?.toString("utf8");
  }

  async readBlobs(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    const wanted = [...new Set(ids)];
    // In parts, so that not all requests of a whole graph are queued before the first answer is read.
    for (let at = 0; at < wanted.length; at += 10_000) {
      const part = wanted.slice(at, at + 10_000);
      const texts = await Promise.all(part.map((id) => this.readBlob(id)));
      texts.forEach((text, i) => text !== undefined && found.set(part[i] ?? "", text));
    }
    return found;
  }

  async readTree(id: string): Promise<readonly TreeEntry[]> {
    return decodeTree(await this.#treeBody(id), this.#idBytes);
  }

  async #treeBody(id: string): Promise<Uint8Array> {
    if (id === this.emptyTree) return new Uint8Array();
    const known = this.#trees.get(id);
    if (known !== undefined) return known;
    const body = await this.#read(id, "tree");
    // A copy: what was read is a view of a larger buffer, which would be kept as a whole.
    if (body !== undefined) return this.#trees.keep(id, new Uint8Array(body));
    throw new AdapterError(
      "ObjectMissing",
      `Cannot read tree ${id}: there is no such tree in ${this.#commonDirectory}.`,
    );
  }

  async readCommit(id: string): Promise<CommitInfo | undefined> {
    const body = await this.#read(id, "commit");
    return body === undefined ? undefined : decodeCommit(id, body.toString("utf8"));
  }

  async writeBlob(text: string): Promise<string> {
    return this.#writer.put("blob", Buffer.from(text));
  }

  async writeTree(entries: readonly TreeEntry[]): Promise<string> {
    const problem =
      treeProblem(entries) ?? entries.map(({ id }) => this.#idProblem(id)).find((one) => one !== undefined);
    if (problem !== undefined)
      throw new AdapterError("InvalidTree", `Cannot write a tree to ${this.#commonDirectory}: ${problem}.`);
    return this.#writer.put("tree", encodeTree(entries));
  }

  async changeTree(tree: string, changes: TreeChanges): Promise<string> {
    const problem = [...changes]
      .map(([path, blob]) => pathProblem(path) ?? (blob === null ? undefined : this.#idProblem(blob)))
      .find((one) => one !== undefined);
    if (problem !== undefined)
      throw new AdapterError("InvalidTree", `Cannot change tree ${tree} of ${this.#commonDirectory}: ${problem}.`);
    const bodies = {
      idBytes: this.#idBytes,
      read: (id: string) => this.#treeBody(id),
      write: (body: Uint8Array, path: string) => {
        const id = this.#writer.put("tree", body);
        this.#writer.name(id, path);
        this.#trees.keep(id, body);
        return Promise.resolve(id);
      },
    };
    for (const [path, blob] of changes) if (blob !== null) this.#writer.name(blob, path);
    return (await changeTree(bodies, tree, changes)) ?? this.emptyTree;
  }

  async writeCommit(commit: NewCommit): Promise<string> {
    const problem = [commit.tree, ...commit.parents].map((id) => this.#idProblem(id)).find((one) => one !== undefined);
    if (problem !== undefined)
      throw new AdapterError("InvalidCommit", `Cannot write a commit to ${this.#commonDirectory}: ${problem}.`);
    return this.#writer.put("commit", Buffer.from(encodeCommit(commit, Date.now())));
  }

  async sync(): Promise<void> {
    try {
      await this.#writer.flush();
    } catch (error) {
      throw diskFailure(`write objects to ${this.#commonDirectory}`, error);
    }
  }

  async restore(): Promise<void> {
    try {
      await this.#writer.flush({ again: true });
    } catch (error) {
      throw diskFailure(`write objects to ${this.#commonDirectory}`, error);
    }
  }

  async missing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const wanted = [...new Set(ids)].filter((id) => id !== this.emptyTree && this.#writer.peek(id) === undefined);
    if (wanted.length === 0) return new Set();
    // A process of its own: one that reads for long knows packs that somebody has removed.
    const text = await this.#command.text(["cat-file", "--batch-check", "--buffer"], {
      place: { gitDirectory: this.#commonDirectory },
      doing: `look for ${wanted.length} objects in ${this.#commonDirectory}`,
      input: `${wanted.join("\n")}\n`,
      timeoutMs: 600_000,
    });
    const found = new Set(text.split("\n").map((line) => /^([0-9a-f]+) (?:blob|tree|commit|tag) \d+$/.exec(line)?.[1]));
    return new Set(wanted.filter((id) => !found.has(id)));
  }

  isCollected(): Promise<boolean> {
    return isGcRunning(this.#commonDirectory);
  }

  async allCommits(): Promise<readonly string[]> {
    const format = "--batch-check=%(objecttype) %(objectname)";
    const text = await this.#command.text(["cat-file", "--batch-all-objects", "--unordered", "--buffer", format], {
      place: { gitDirectory: this.#commonDirectory },
      doing: `list the objects in ${this.#commonDirectory}`,
      timeoutMs: 600_000,
    });
    return [...text.matchAll(/^commit ([0-9a-f]+)$/gm)].map(([, id = ""]) => id);
  }

  async packOwn(options: { readonly minimum?: number; readonly tip?: string | undefined } = {}): Promise<number> {
    await this.sync();
    const next = this.#packing.then(() => this.#packs.pack(options.minimum ?? 2000, options.tip));
    this.#packing = next.catch(() => {});
    return next.catch((error: unknown) => {
      throw diskFailure(`pack objects in ${this.#commonDirectory}`, error);
    });
  }

  async looseCount(): Promise<number> {
    const directory = join(this.#commonDirectory, "objects", "17");
    const names = await readdir(directory).catch(() => []);
    return 256 * names.filter((name) => /^[0-9a-f]{38,62}$/.test(name)).length;
  }

  packAll({ timeoutMs }: { readonly timeoutMs: number }): Promise<boolean> {
    const next = this.#packing.then(() => this.#packAll(timeoutMs));
    this.#packing = next.catch(() => {});
    return next;
  }

  /** A pack stays as it is while it is twice as large as all smaller ones together: little is ever written twice. */
  async #packAll(timeoutMs: number): Promise<boolean> {
    const lock = await takeGcLock(this.#commonDirectory);
    if (lock === undefined) return false;
    try {
      await this.#command.run(["-c", "pack.threads=1", "repack", "--geometric=2", "-d", "-l", "-q", "-n"], {
        place: { gitDirectory: this.#commonDirectory },
        doing: `pack the objects in ${this.#commonDirectory}`,
        timeoutMs,
      });
    } finally {
      await lock.release();
    }
    return true;
  }

  async close(): Promise<void> {
    await this.sync();
    await this.reader.service.close();
  }

  async #read(id: string, type: "blob" | "tree" | "commit"): Promise<(Uint8Array & Buffer) | undefined> {
    if (this.#idProblem(id) !== undefined) return undefined;
    const waiting = this.#writer.peek(id);
    const found = waiting ?? (await this.reader.contents(id));
    return found?.type === type
      ? Buffer.from(found.body.buffer, found.body.byteOffset, found.body.byteLength)
      : undefined;
  }

  #idProblem(id: string): string | undefined {
    return id.length === 2 * this.#idBytes && /^[0-9a-f]+$/.test(id)
      ? undefined
      : `'${id}' is no object id of this repository`;
  }
}
