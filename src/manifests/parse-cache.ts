import type { TreeEntry } from "../ports/git.ts";
import type { LoadContext, LoadedFile } from "./load-file.ts";
import { loadFile } from "./load-file.ts";

/** Files kept parsed. */
const DEFAULT_CAPACITY = 20_000;

interface Entry {
  readonly file: LoadedFile;
}

/**
 * Parsed files by path and content (a blob id, or the text itself), so that a rescan of an unchanged source costs no
 * YAML. Kinds and host facts are part of what a file means: a cache that is asked with others forgets everything.
 */
export class ParseCache {
  /** Trees by id, for readers that list commits: they mean the same whatever they are read against. */
  readonly trees = new Map<string, readonly TreeEntry[]>();
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  #meaning = "";
  #kinds: LoadContext["kinds"] | undefined;
  #locals: LoadContext["locals"] | undefined;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  /** True when `load` of the same path and content would not need the text. */
  has(path: string, content: string, context: LoadContext): boolean {
    this.#settle(context);
    return this.#entries.has(keyFor(path, content));
  }

  /** The file as `loadFile` gives it. `text` is not called when the content is known. */
  load(path: string, content: string, text: () => string, context: LoadContext): LoadedFile {
    this.#settle(context);
    const key = keyFor(path, content);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.file;
    }
    const file = loadFile(path, text(), context);
    this.#entries.set(key, { file });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity) break;
      this.#entries.delete(oldest);
    }
    return file;
  }

  #settle(context: LoadContext): void {
    if (context.locals === this.#locals && context.kinds === this.#kinds) return;
    this.#locals = context.locals;
    const meaning = JSON.stringify([...context.locals].sort(([a], [b]) => (a < b ? -1 : 1)));
    if (meaning === this.#meaning && context.kinds === this.#kinds) return;
    this.#entries.clear();
    this.#meaning = meaning;
    this.#kinds = context.kinds;
  }
}

function keyFor(path: string, content: string): string {
  return `${path}\0${content}`;
}
