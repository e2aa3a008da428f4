import { bold, paintState } from "./colour.ts";
import { cellText, cutToWidth, displayWidth } from "./terminal-text.ts";

export interface TableText {
  readonly headers: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface TableOptions {
  /** Default true. */
  readonly withHeaders?: boolean;
  /** Header bold, state words coloured. Default false. */
  readonly colours?: boolean;
  /** Columns of the terminal: the widest free cells are cut until a line fits. Absent: nothing is cut. */
  readonly columns?: number | undefined;
  /** Widths that columns keep at least, as a watch needs to stay aligned; raised in place. */
  readonly widths?: number[];
}

const GAP = 3;
/** A column is never cut below this. */
const LEAST_CUT_WIDTH = 12;

interface Cell {
  readonly text: string;
  readonly width: number;
}

/** Aligned columns, three spaces apart, no spaces at the end of a line, each line ended by a newline. */
export function tableLines(table: TableText, options: TableOptions = {}): string {
  const withHeaders = options.withHeaders !== false;
  const lines = (withHeaders ? [table.headers, ...table.rows] : table.rows).map((row) => row.map(cellOf));
  const widths = fitted(columnWidths(lines, options.widths ?? []), options.columns);
  if (options.widths !== undefined) options.widths.splice(0, widths.length, ...widths);
  const styles = options.colours === true ? { header: bold, row: paintState } : { header: same, row: same };
  return lines
    .map((row, index) => lineOf(row, widths, withHeaders && index === 0 ? styles.header : styles.row))
    .join("");
}

function cellOf(value: string): Cell {
  const text = cellText(value);
  return { text, width: displayWidth(text) };
}

function columnWidths(lines: readonly (readonly Cell[])[], least: readonly number[]): number[] {
  const widths = [...least];
  for (const line of lines) {
    line.forEach(({ width }, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width);
    });
  }
  return widths;
}

/** Takes width from the widest column but the first, which is a name that people copy. */
function fitted(widths: number[], columns: number | undefined): number[] {
  if (columns === undefined) return widths;
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - columns;
  while (excess > 0) {
    let widest = -1;
    for (let i = 1; i < widths.length; i += 1) if ((widths[i] ?? 0) > (widths[widest] ?? LEAST_CUT_WIDTH)) widest = i;
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}

function lineOf(row: readonly Cell[], widths: readonly number[], style: (text: string) => string): string {
  let line = "";
  let pending = 0;
  row.forEach(({ text, width }, column) => {
    const room = widths[column] ?? 0;
    if (text === "") {
      pending += room + GAP;
      return;
    }
    const cut = width > room ? cutToWidth(text, room) : text;
    line += " ".repeat(pending) + style(cut);
    pending = room - (cut === text ? width : displayWidth(cut)) + GAP;
  });
  return `${line}\n`;
}

function same(text: string): string {
  return text;
}
