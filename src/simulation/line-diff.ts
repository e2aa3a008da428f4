import { compareLines } from "../domain/text/line-diff.ts";

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

/** The changes from `old` to `next`, neighbouring ones joined. */
export function diffLines(old: readonly string[], next: readonly string[]): Hunk[] {
  const hunks: Hunk[] = [];
  let at = 0;
  let open: { start: number; lines: string[] } | undefined;
  const close = (): void => {
    if (open !== undefined) hunks.push({ start: open.start, end: at, lines: open.lines });
    open = undefined;
  };
  for (const run of compareLines(old, next)) {
    if (run.lines.length === 0) continue;
    if (run.kind === "Same") close();
    else open ??= { start: at, lines: [] };
    if (run.kind === "Added") open?.lines.push(...run.lines);
    else at += run.lines.length;
  }
  close();
  return hunks;
}
