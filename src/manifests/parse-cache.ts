import type { TreeEntry } from "../ports/git.ts";
import type { LoadContext, LoadedFile, SourceFile } from "./load-file.ts";
import { loadFile } from "./load-file.ts";

/**
 * Parsed files by path and content (a blob id, or the text itself), so that a rescan of an unchanged source costs no
 * YAML. Kinds and host facts are part of what a file means: a cache that is asked with others forgets everything.
 *
 * It holds what the last two loads used, however often files change: a source that is edited all night has as many
 * files in the morning as it had.
 */
export class ParseCache {
  /** Trees by id, for readers that list commits: they mean the same whatever they are read against. */
  readonly trees = new Map<string, readonly TreeEntry[]>();
  #latest = new Map<string, LoadedFile>();
  #former: ReadonlyMap<string, LoadedFile> = new Map();
  #meaning = "";
  #kinds: LoadContext["kinds"] | undefined;
  #locals: LoadContext["locals"] | undefined;

  /** Files held, those of different contents counted each. */
  get size(): number {
    return new Set([...this.#latest.keys(), ...this.#former.keys()]).size;
  }

  /** The file if it is known: its text is not needed then. */
  find(path: string, content: string, context: LoadContext): LoadedFile | undefined {
    this.#settle(context);
    const key = keyFor(path, content);
    return this.#latest.get(key) ?? this.#former.get(key);
  }

  /** The files as `loadFile` gives them, in their order: a whole load. What neither it nor the one before used is forgotten. */
  load(files: readonly SourceFile[], context: LoadContext): readonly LoadedFile[] {
    this.#settle(context);
    const used = new Map<string, LoadedFile>();
    const loaded = files.map(({ path, content, text, known }) => {
      const file = known ?? this.find(path, content, context) ?? loadFile(path, text(), context);
      used.set(keyFor(path, content), file);
      return file;
    });
    this.#former = this.#latest;
    this.#latest = used;
    return loaded;
  }

  #settle(context: LoadContext): void {
    if (context.locals === this.#locals && context.kinds === this.#kinds) return;
    this.#locals = context.locals;
    const meaning = JSON.stringify([...context.locals].sort(([a], [b]) => (a < b ? -1 : 1)));
    if (meaning === this.#meaning && context.kinds === this.#kinds) return;
    this.#latest = new Map();
    this.#former = new Map();
    this.#meaning = meaning;
    this.#kinds = context.kinds;
  }
}

function keyFor(path: string, content: string): string {
  return `${path}\0${content}`;
}
