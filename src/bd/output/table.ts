import { displayWidth } from "./plain-text.ts";

const gap = "  ";
/** The last column is not wrapped into fewer columns of the terminal than that. */
const narrowest = 24;

/**
 * Aligned columns, two spaces apart, nothing at the end of a line. With the columns of a terminal the last cell of a row goes
 * on below itself.
 */
export function table(rows: readonly (readonly string[])[], columns?: number): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
    });
  }
  return rows
    .flatMap((row) => {
      const lead = row
        .slice(0, -1)
        .map((cell, column) => `${cell}${" ".repeat((widths[column] ?? 0) - displayWidth(cell))}${gap}`)
        .join("");
      const indent = displayWidth(lead);
      const [first = "", ...more] = wrapped(row.at(-1) ?? "", columns === undefined ? undefined : columns - indent);
      return [`${lead}${first}`.trimEnd(), ...more.map((line) => " ".repeat(indent) + line)];
    })
    .join("\n");
}

function wrapped(text: string, width: number | undefined): readonly string[] {
  if (width === undefined || width < narrowest || displayWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && displayWidth(`${line} ${word}`) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
