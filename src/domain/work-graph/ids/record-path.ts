/**
 * Where a record lives in the tree of the work branch: `ab/cd/<id>.json`, where `ab` and `cd` are two times six bits of
 * a hash of the id. 64 x 64 directories keep every tree small from 1,000 to 1,000,000 records (2 kB, 2 kB, 1 kB at
 * 100,000), and with them a commit.
 */
export function recordPath(id: string): string {
  const hash = fnv1a(id);
  return `${hex(hash & 63)}/${hex((hash >>> 6) & 63)}/${fileName(id)}.json`;
}

/** Id of the record that belongs at a path; undefined when no record belongs there. */
export function idOfPath(path: string): string | undefined {
  const parts = /^[0-3][0-9a-f]\/[0-3][0-9a-f]\/(.+)\.json$/.exec(path);
  if (parts?.[1] === undefined) return undefined;
  try {
    const id = decodeURIComponent(parts[1]);
    return recordPath(id) === path ? id : undefined;
  } catch {
    return undefined;
  }
}

// Everything else stands for itself, so `git ls-tree -r --name-only town/work` can be searched for an id.
function fileName(id: string): string {
  return encodeURIComponent(id).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hex(bits: number): string {
  return bits.toString(16).padStart(2, "0");
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  // FNV's low bits mix worst for short texts that differ at the end; fold the high ones in.
  return (hash ^ (hash >>> 15) ^ (hash >>> 24)) >>> 0;
}
