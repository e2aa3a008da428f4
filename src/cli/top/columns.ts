import { cutToWidth, displayWidth } from "../output/terminal-text.ts";
import { type Line, type Span, span } from "./line.ts";

/** A column of a pane. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Span;
  readonly align?: "right";
  /** Columns it can be cut to. Default: it is never cut. */
  readonly least?: number;
  /** Left out while no row has anything in it. Default false. */
  readonly optional?: boolean;
  /** Columns without this stay; of the others the one with the highest number goes first where they do not fit. */
  readonly drop?: number;
}

const GAP = 2;

interface Placed<Row> {
  readonly column: Column<Row>;
  width: number;
}

/**
 * Rows under their titles in `width` columns. Where that is not enough, columns that may go are left out while the others
 * would be cut below what they can bear; then the widest that can be cut are cut.
 */
export function tableOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): { readonly head: Line; readonly rows: readonly Line[] } {
  const cells = new Map(columns.map((column) => [column, rows.map((row) => column.cell(row))]));
  const widthOf = (column: Column<Row>): number =>
    Math.max(displayWidth(column.title), ...(cells.get(column) ?? []).map((each) => displayWidth(each.text)));
  const says = (column: Column<Row>): boolean => cells.get(column)?.some((each) => each.text !== "") === true;
  let placed: Placed<Row>[] = columns
    .filter((column) => column.optional !== true || says(column))
    .map((column) => ({ column, width: widthOf(column) }));
  for (let least = leastWidth(placed); least > width; least = leastWidth(placed)) {
    const going = lastToStay(placed);
    if (going === undefined) break;
    placed = placed.filter((each) => each !== going);
  }
  shrink(placed, width);
  const lineOf = (spans: readonly Span[]): Line => ({
    spans: spans.flatMap((each, index) => padded(each, placed[index], index === placed.length - 1)),
  });
  return {
    head: lineOf(placed.map(({ column }) => span(column.title, "dim"))),
    rows: rows.map((_, index) => lineOf(placed.map(({ column }) => cells.get(column)?.[index] ?? span("")))),
  };
}

function total(placed: readonly Placed<never>[] | readonly { readonly width: number }[]): number {
  return placed.reduce((sum, each) => sum + each.width + GAP, -GAP);
}

function leastWidth<Row>(placed: readonly Placed<Row>[]): number {
  return total(placed.map(({ column, width }) => ({ width: Math.min(width, column.least ?? width) })));
}

function lastToStay<Row>(placed: readonly Placed<Row>[]): Placed<Row> | undefined {
  return placed
    .filter(({ column }) => column.drop !== undefined)
    .toSorted((a, b) => (b.column.drop ?? 0) - (a.column.drop ?? 0))[0];
}

function shrink<Row>(placed: readonly Placed<Row>[], width: number): void {
  for (let excess = total(placed) - width; excess > 0; excess -= 1) {
    const widest = placed
      .filter(({ column, width: own }) => column.least !== undefined && own > column.least)
      .toSorted((a, b) => b.width - a.width)[0];
    if (widest === undefined) return;
    widest.width -= 1;
  }
}

function padded<Row>(cell: Span, place: Placed<Row> | undefined, isLast: boolean): readonly Span[] {
  const room = place?.width ?? 0;
  const text = cutToWidth(cell.text, room);
  const space = " ".repeat(Math.max(0, room - displayWidth(text)));
  const gap = isLast ? "" : " ".repeat(GAP);
  const shown = { text, tone: cell.tone };
  return place?.column.align === "right"
    ? [{ text: space, tone: "plain" }, shown, { text: gap, tone: "plain" }]
    : [shown, { text: isLast ? "" : space + gap, tone: "plain" }];
}
