import { diffLines, splitLines, type Hunk } from "./line-diff.ts";

/**
 * Three-way merge of texts by line; undefined when both sides changed the same or touching lines differently, which is
 * where git reports a conflict too.
 */
export function mergeText(base: string, ours: string, theirs: string): string | undefined {
  const old = splitLines(base);
  const left = [...diffLines(old, splitLines(ours))];
  const right = [...diffLines(old, splitLines(theirs))];
  const merged: string[] = [];
  let at = 0;
  while (left.length > 0 || right.length > 0) {
    const [mine, other] = [left[0], right[0]];
    if (mine !== undefined && other !== undefined && touch(mine, other)) {
      if (!sameHunk(mine, other)) return undefined;
      right.shift();
    }
    const takeMine = other === undefined || (mine !== undefined && mine.start <= other.start);
    const next = takeMine ? left.shift() : right.shift();
    if (next === undefined) break;
    merged.push(...old.slice(at, next.start), ...next.lines);
    at = next.end;
  }
  return [...merged, ...old.slice(at)].join("");
}

function touch(a: Hunk, b: Hunk): boolean {
  return a.start <= b.end && b.start <= a.end;
}

function sameHunk(a: Hunk, b: Hunk): boolean {
  return a.start === b.start && a.end === b.end && a.lines.join("") === b.lines.join("");
}
