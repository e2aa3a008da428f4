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

/** Aligned columns, three spaces apart, no spaces at the end of a line, each line ended by a newline. */
export function tableLines(table: TableText, options: TableOptions = {}): string {
  const shown = options.withHeaders === false ? [] : [table.headers];
  const lines = [...shown, ...table.rows].map((row) => row.map(cellText));
  const widths = fitted(columnWidths(lines, options.widths ?? []), options.columns);
  if (options.widths !== undefined) options.widths.splice(0, widths.length, ...widths);
  const headerLines = shown.length;
  return lines
    .map((row, index) => lineOf(row, widths, options.colours === true ? styleOf(index < headerLines) : same))
    .join("");
}

function columnWidths(lines: readonly (readonly string[])[], least: readonly number[]): number[] {
  const widths = [...least];
  for (const line of lines) {
    line.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
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

function lineOf(row: readonly string[], widths: readonly number[], style: (text: string) => string): string {
  let text = "";
  let pending = 0;
  row.forEach((cell, column) => {
    const width = widths[column] ?? 0;
    const cut = cutToWidth(cell, width);
    if (cut === "") {
      pending += width + GAP;
      return;
    }
    text += " ".repeat(pending) + style(cut);
    pending = width - displayWidth(cut) + GAP;
  });
  return `${text}\n`;
}

function styleOf(isHeader: boolean): (text: string) => string {
  return isHeader ? bold : paintState;
}

function same(text: string): string {
  return text;
}
