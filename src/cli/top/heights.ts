import type { PaneName } from "./top-view.ts";

const WEIGHTS: Readonly<Partial<Record<PaneName, number>>> = { agents: 3, problems: 2, events: 2 };
const FOCUS_WEIGHT = 4;
/** Rows that every list shows before any shows more. */
const FIRST_ROWS = 2;

/**
 * Rows for each list, its title line included, in `space` rows together: at first a title and two rows for all, then row
 * by row to whoever has least for its weight and still needs one. Where even that is too much, the last lists but the
 * focused one are left out (0).
 */
export function heightsOf(
  panes: readonly { readonly name: PaneName; readonly rows: number }[],
  focus: PaneName,
  space: number,
): readonly number[] {
  const heights = panes.map(({ rows }) => 1 + Math.min(rows, FIRST_ROWS));
  const used = (): number => heights.reduce((sum, height) => sum + height, 0);
  for (let index = panes.length - 1; index >= 0 && used() > space; index -= 1)
    if (panes[index]?.name !== focus) heights[index] = 0;
  const last = panes.findIndex(({ name }) => name === focus);
  if (used() > space && last !== -1) heights[last] = Math.max(0, space);
  for (let left = space - used(); left > 0; left -= 1) {
    const next = neediest(panes, heights, focus);
    if (next === undefined) break;
    heights[next] = (heights[next] ?? 0) + 1;
  }
  return heights;
}

function neediest(
  panes: readonly { readonly name: PaneName; readonly rows: number }[],
  heights: readonly number[],
  focus: PaneName,
): number | undefined {
  let best: number | undefined;
  let bestShare = Number.POSITIVE_INFINITY;
  for (const [index, { name, rows }] of panes.entries()) {
    const height = heights[index] ?? 0;
    if (height === 0 || height >= rows + 1) continue;
    const share = height / (name === focus ? FOCUS_WEIGHT : (WEIGHTS[name] ?? 1));
    if (share < bestShare) [best, bestShare] = [index, share];
  }
  return best;
}
