/** Lines `start` to `end` (exclusive) of the old text are replaced by `lines`. */
export interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** Lines with their line ends; a last line without one stays without. */
export function splitLines(text: string): string[] {
  return text === "" ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

/** A shortest edit script from `old` to `next` (Myers, O(ND)), neighbouring edits joined. */
export function diffLines(old: readonly string[], next: readonly string[]): Hunk[] {
  let head = 0;
  while (head < old.length && head < next.length && old[head] === next[head]) head++;
  let tail = 0;
  while (
    tail < old.length - head &&
    tail < next.length - head &&
    old[old.length - 1 - tail] === next[next.length - 1 - tail]
  ) {
    tail++;
  }
  const pairs = commonLines(old.slice(head, old.length - tail), next.slice(head, next.length - tail));
  const hunks: Hunk[] = [];
  let [from, to] = [head, head];
  for (const [a, b] of [
    ...pairs.map(([x, y]) => [x + head, y + head] as const),
    [old.length - tail, next.length - tail] as const,
  ]) {
    if (a > from || b > to) hunks.push({ start: from, end: a, lines: next.slice(to, b) });
    [from, to] = [a + 1, b + 1];
  }
  return hunks;
}

/** Index pairs of a longest common subsequence. */
function commonLines(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const trace: Map<number, number>[] = [];
  const reach = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= a.length + b.length; edits++) {
    trace.push(new Map(reach));
    for (let k = -edits; k <= edits; k += 2) {
      let x = furthest(reach, k, edits);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return backtrack(trace, a.length, b.length);
    }
  }
  return [];
}

function furthest(reach: ReadonlyMap<number, number>, k: number, edits: number): number {
  const down = reach.get(k + 1) ?? -1;
  const right = reach.get(k - 1) ?? -1;
  return k === -edits || (k !== edits && right < down) ? down : right + 1;
}

function backtrack(
  trace: readonly ReadonlyMap<number, number>[],
  endA: number,
  endB: number,
): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = [];
  let [x, y] = [endA, endB];
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const reach = trace[edits] ?? new Map<number, number>();
    const k = x - y;
    const cameDown = k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const beforeK = cameDown ? k + 1 : k - 1;
    const beforeX = edits === 0 ? 0 : (reach.get(beforeK) ?? 0);
    const beforeY = edits === 0 ? 0 : beforeX - beforeK;
    while (x > beforeX && y > beforeY) pairs.push([--x, --y]);
    [x, y] = [beforeX, beforeY];
  }
  return pairs.reverse();
}
