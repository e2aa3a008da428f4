/** A run of lines of a comparison. */
export interface LineRun {
  readonly kind: "Same" | "Removed" | "Added";
  readonly lines: readonly string[];
}

/** Above this many differing lines the middle is shown as replaced whole: the search is quadratic. */
const SEARCHED_LINES = 4000;

/** How the lines of `before` become those of `after`, in order; removals come before additions at the same place. */
export function compareLines(before: readonly string[], after: readonly string[]): readonly LineRun[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const runs: LineRun[] = [{ kind: "Same", lines: before.slice(0, head) }];
  runs.push(...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)));
  runs.push({ kind: "Same", lines: before.slice(before.length - tail) });
  return runs.filter((run) => run.lines.length > 0);
}

function middle(before: readonly string[], after: readonly string[]): readonly LineRun[] {
  const pairs = before.length + after.length > SEARCHED_LINES ? [] : commonLines(before, after);
  const runs: LineRun[] = [];
  let [from, to] = [0, 0];
  for (const [x, y] of [...pairs, [before.length, after.length] as const]) {
    runs.push({ kind: "Removed", lines: before.slice(from, x) }, { kind: "Added", lines: after.slice(to, y) });
    if (x < before.length) runs.push({ kind: "Same", lines: before.slice(x, x + 1) });
    [from, to] = [x + 1, y + 1];
  }
  return joined(runs);
}

function joined(runs: readonly LineRun[]): readonly LineRun[] {
  const result: LineRun[] = [];
  for (const run of runs) {
    const last = result.at(-1);
    if (run.lines.length === 0) continue;
    if (last?.kind === run.kind) result[result.length - 1] = { kind: run.kind, lines: [...last.lines, ...run.lines] };
    else result.push(run);
  }
  return result;
}

/** Index pairs of a longest common subsequence, by the table of its lengths from each pair of positions on. */
function commonLines(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const skipped = Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0);
      lengths[i * width + j] = a[i] === b[j] ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1 : skipped;
    }
  }
  const pairs: (readonly [number, number])[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      pairs.push([i, j]);
      i += 1;
      j += 1;
    } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return pairs;
}

/** Hunks of a unified diff with `context` unchanged lines around changes; empty when nothing differs. No file headers. */
export function unifiedHunks(before: readonly string[], after: readonly string[], context = 3): readonly string[] {
  const output: string[] = [];
  let hunk: string[] = [];
  let [oldLine, newLine] = [0, 0];
  let start: readonly [number, number] = [0, 0];
  let [oldCount, newCount] = [0, 0];
  const close = (): void => {
    if (hunk.length === 0) return;
    const oldStart = oldCount === 0 ? start[0] : start[0] + 1;
    const newStart = newCount === 0 ? start[1] : start[1] + 1;
    output.push(`@@ -${range(oldStart, oldCount)} +${range(newStart, newCount)} @@`, ...hunk);
    hunk = [];
    [oldCount, newCount] = [0, 0];
  };
  const add = (mark: " " | "-" | "+", line: string): void => {
    if (hunk.length === 0) start = [oldLine, newLine];
    hunk.push(mark + line);
    if (mark !== "+") [oldLine, oldCount] = [oldLine + 1, oldCount + 1];
    if (mark !== "-") [newLine, newCount] = [newLine + 1, newCount + 1];
  };
  const skip = (count: number): void => {
    oldLine += count;
    newLine += count;
  };
  const runs = compareLines(before, after);
  for (const [index, run] of runs.entries()) {
    if (run.kind !== "Same") for (const line of run.lines) add(run.kind === "Removed" ? "-" : "+", line);
    else {
      const lead = index === 0 ? 0 : context;
      const trail = index === runs.length - 1 ? 0 : context;
      if (run.lines.length <= lead + trail) for (const line of run.lines) add(" ", line);
      else {
        for (const line of run.lines.slice(0, lead)) add(" ", line);
        close();
        skip(run.lines.length - lead - trail);
        for (const line of run.lines.slice(run.lines.length - trail)) add(" ", line);
      }
    }
  }
  close();
  return runs.some((run) => run.kind !== "Same") ? output : [];
}

function range(start: number, count: number): string {
  return count === 1 ? String(start) : `${start},${count}`;
}
