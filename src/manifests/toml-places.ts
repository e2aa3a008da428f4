import type { FieldPath } from "./field-path.ts";

interface TomlPlace {
  readonly line: number;
  readonly column: number;
}

/**
 * Where the keys of a TOML text are, by path; the parser tells only the places of errors. Tables and keys that begin a
 * line are found; what is inside an inline table or array has the place of the key that holds it. One pass.
 */
export class TomlPlaces {
  readonly #places = new Map<string, TomlPlace>();

  constructor(text: string) {
    const lists = new Map<string, number>();
    let table: FieldPath = [];
    let closing: string | undefined;
    for (const [index, line] of text.split("\n").entries()) {
      if (closing !== undefined) {
        if (line.includes(closing)) closing = undefined;
        continue;
      }
      const header = /^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?/.exec(line);
      if (header !== null) {
        table = tablePath(splitKey(header[2] ?? ""), header[1] === "[[", lists);
        this.#add(table, { line: index + 1, column: line.indexOf("[") + 1 });
        continue;
      }
      const key = /^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=/.exec(
        line,
      );
      if (key === null) continue;
      this.#add([...table, ...splitKey(key[1] ?? "")], { line: index + 1, column: line.search(/\S/) + 1 });
      closing = openString(line.slice(key[0].length));
    }
  }

  /** The place of a path or of the nearest part around it; line 0 when nothing of it begins a line. */
  of(path: FieldPath): TomlPlace {
    for (let length = path.length; length > 0; length -= 1) {
      const found = this.#places.get(keyFor(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return { line: 0, column: 0 };
  }

  #add(path: FieldPath, place: TomlPlace): void {
    for (let length = 1; length <= path.length; length += 1) {
      const key = keyFor(path.slice(0, length));
      if (!this.#places.has(key)) this.#places.set(key, place);
    }
  }
}

/** A table header with the positions of the lists it goes through: `[[steps]]` for the third time is `steps, 2`. */
function tablePath(parts: readonly string[], isItem: boolean, lists: Map<string, number>): FieldPath {
  const path: (string | number)[] = [];
  for (const [index, part] of parts.entries()) {
    path.push(part);
    const key = keyFor(path);
    const isLast = index === parts.length - 1;
    if (isLast && isItem) lists.set(key, (lists.get(key) ?? -1) + 1);
    const item = lists.get(key);
    if (item !== undefined) path.push(item);
  }
  return path;
}

function splitKey(text: string): readonly string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? "",
  );
}

/** The quotes that end a text of several lines which a value opens; undefined when it ends on its line. */
function openString(value: string): string | undefined {
  const quotes = /"""|'''/.exec(value)?.[0];
  return quotes !== undefined && value.split(quotes).length % 2 === 0 ? quotes : undefined;
}

function keyFor(path: FieldPath): string {
  return path.join("\0");
}
