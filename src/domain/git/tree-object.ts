import type { TreeEntry } from "./git-object.ts";

/**
 * Why these entries are no tree that may be written, or undefined. Refused are names that could leave the directory
 * or reach git's own files when checked out, also on file systems that ignore case.
 */
export function treeProblem(entries: readonly TreeEntry[]): string | undefined {
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (name === "" || name === "." || name === ".." || name.toLowerCase() === ".git" || /[/\0]/.test(name)) {
      return `'${name.replaceAll("\0", "\\0")}' is no name that a tree may hold`;
    }
    if (seen.has(name)) return `'${name}' is there twice`;
    seen.add(name);
  }
  return undefined;
}

/** The body of a tree object: entries in git's order (directories compare as if they ended with `/`), ids as bytes. */
export function encodeTree(entries: readonly TreeEntry[]): Uint8Array {
  const keyed = entries.map((entry) => ({
    key: encoder.encode(entry.mode === "040000" ? `${entry.name}/` : entry.name),
    head: encoder.encode(`${entry.mode.replace(/^0/, "")} ${entry.name}\0`),
    id: bytesOfHex(entry.id),
  }));
  keyed.sort((a, b) => compareBytes(a.key, b.key));
  const body = new Uint8Array(keyed.reduce((size, one) => size + one.head.length + one.id.length, 0));
  let at = 0;
  for (const { head, id } of keyed) {
    body.set(head, at);
    body.set(id, at + head.length);
    at += head.length + id.length;
  }
  return body;
}

/** Reads the body of a tree object; `idBytes` is 20 for sha1 and 32 for sha256 repositories. */
export function decodeTree(body: Uint8Array, idBytes: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const end = body.indexOf(0, space);
    const mode = decoder.decode(body.subarray(at, space));
    const name = decoder.decode(body.subarray(space + 1, end));
    entries.push({ mode: knownMode(mode), name, id: hexOfBytes(body.subarray(end + 1, end + 1 + idBytes)) });
    at = end + 1 + idBytes;
  }
  return entries;
}

/** Byte order, as git sorts names. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function hexOfBytes(bytes: Uint8Array): string {
  // In one piece: a text that is put together pair by pair stays a chain of twenty, and ids are kept in great numbers.
  const codes: number[] = [];
  for (const byte of bytes) codes.push(hexDigits.charCodeAt(byte >>> 4), hexDigits.charCodeAt(byte & 15));
  return String.fromCharCode(...codes);
}

export function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const hexDigits = "0123456789abcdef";

/** Old repositories hold modes such as 100664, which git reads as 100644. */
function knownMode(mode: string): TreeEntry["mode"] {
  if (mode === "40000") return "040000";
  if (mode === "120000" || mode === "160000") return mode;
  return (Number.parseInt(mode, 8) & 0o100) === 0 ? "100644" : "100755";
}
