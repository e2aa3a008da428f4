import { diffLines, splitLines, type Hunk } from "./line-diff.ts";

export interface DiffSide {
  readonly mode: string;
  readonly id: string;
  readonly text: string;
}

/** One file's part of `git diff`; a missing side is an added or a deleted file. */
export function unifiedDiff(path: string, from: DiffSide | undefined, to: DiffSide | undefined): string {
  const old = splitLines(from?.text ?? "");
  const hunks = grouped(diffLines(old, splitLines(to?.text ?? ""))).map((group) => hunkText(group, old));
  const head = [`diff --git a/${path} b/${path}`, ...modeLines(from, to)];
  if (hunks.length > 0) {
    const mode = from !== undefined && from.mode === to?.mode ? ` ${from.mode}` : "";
    head.push(`index ${shortId(from)}..${shortId(to)}${mode}`);
    head.push(
      from === undefined ? "--- /dev/null" : `--- a/${path}`,
      to === undefined ? "+++ /dev/null" : `+++ b/${path}`,
    );
  }
  return `${head.join("\n")}\n${hunks.join("")}`;
}

function modeLines(from: DiffSide | undefined, to: DiffSide | undefined): string[] {
  if (from === undefined) return [`new file mode ${to?.mode ?? ""}`];
  if (to === undefined) return [`deleted file mode ${from.mode}`];
  return from.mode === to.mode ? [] : [`old mode ${from.mode}`, `new mode ${to.mode}`];
}

function shortId(side: DiffSide | undefined): string {
  return (side?.id ?? "0000000").slice(0, 7);
}

const context = 3;

/** Hunks whose contexts meet are shown as one. */
function grouped(hunks: readonly Hunk[]): Hunk[][] {
  const groups: Hunk[][] = [];
  for (const hunk of hunks) {
    const last = groups.at(-1)?.at(-1);
    if (last !== undefined && hunk.start - last.end <= 2 * context) groups.at(-1)?.push(hunk);
    else groups.push([hunk]);
  }
  return groups;
}

function hunkText(group: readonly Hunk[], old: readonly string[]): string {
  const first = Math.max(0, (group[0]?.start ?? 0) - context);
  const last = Math.min(old.length, (group.at(-1)?.end ?? 0) + context);
  const body: string[] = [];
  let [at, shift] = [first, 0];
  for (const hunk of group) {
    body.push(...old.slice(at, hunk.start).map((line) => ` ${line}`));
    body.push(...old.slice(hunk.start, hunk.end).map((line) => `-${line}`), ...hunk.lines.map((line) => `+${line}`));
    shift += hunk.lines.length - (hunk.end - hunk.start);
    at = hunk.end;
  }
  body.push(...old.slice(at, last).map((line) => ` ${line}`));
  const lines = body.map((line) => (line.endsWith("\n") ? line : `${line}\n\\ No newline at end of file\n`));
  return `@@ -${range(first, last - first)} +${range(first, last - first + shift)} @@\n${lines.join("")}`;
}

/** An empty range names the line before it, as diff does. */
function range(start: number, count: number): string {
  if (count === 0) return `${start},0`;
  return count === 1 ? `${start + 1}` : `${start + 1},${count}`;
}
