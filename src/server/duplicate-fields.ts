/** Strings (a long one must not make the engine backtrack) and the punctuation that gives JSON its shape. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/gs;

interface Frame {
  /** Path of this object or list. */
  readonly path: string;
  /** Keys seen; undefined in a list. */
  readonly keys: Set<string> | undefined;
  /** Key or index of the value at hand. */
  at: string | number;
}

/**
 * Paths of fields that occur more than once in an object, as `spec.env[0].name`; JSON.parse takes the last of them in
 * silence. The text must be valid JSON.
 */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  const frames: Frame[] = [];
  let last = "";
  for (const [token] of text.matchAll(TOKEN)) {
    const top = frames.at(-1);
    if (token === "{" || token === "[") frames.push(frameOf(token, top));
    else if (token === "}" || token === "]") frames.pop();
    else if (token === ",") {
      if (typeof top?.at === "number") top.at += 1;
    } else if (token === ":") {
      if (top?.keys !== undefined && noteKey(top, last)) found.push(pathOf(top));
    } else last = token;
  }
  return [...new Set(found)];
}

function frameOf(token: string, parent: Frame | undefined): Frame {
  const path = parent === undefined ? "" : pathOf(parent);
  return token === "{" ? { path, keys: new Set(), at: "" } : { path, keys: undefined, at: 0 };
}

/** True when the object had that key before. */
function noteKey(frame: Frame, quoted: string): boolean {
  const key = JSON.parse(quoted) as string;
  frame.at = key;
  const isKnown = frame.keys?.has(key) === true;
  frame.keys?.add(key);
  return isKnown;
}

function pathOf({ path, at }: Frame): string {
  if (typeof at === "number") return `${path}[${at}]`;
  return path === "" ? at : `${path}.${at}`;
}
