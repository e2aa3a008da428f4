// Text of beads comes from anybody: no escape sequence in it may reach a terminal. A whole sequence is tried before the
// single characters, so that a torn one loses at least its first byte.
const unwanted =
  // oxlint-disable-next-line no-control-regex
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[@-Z\\-_])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Several lines of text without control characters; newlines and tabs stay. */
export function cleanText(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(unwanted, "");
}

/** One line of text. */
export function cleanLine(text: string): string {
  return cleanText(text)
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("\t", " ");
}

// East Asian wide and emoji blocks take two columns, combining marks none (Unicode TR11, the blocks that occur in practice).
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const zero = /\p{Mn}|\p{Me}|[\u200b-\u200f]/u;
// oxlint-disable-next-line no-control-regex
const style = /\u001b\[[0-9;]*m/g;

/** Columns a text takes, styles apart. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(style, "")) width += zero.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** A text without styles cut to `columns`, `…` at its end; unchanged when it fits or `columns` is undefined. */
export function cut(text: string, columns: number | undefined): string {
  if (columns === undefined || displayWidth(text) <= columns) return text;
  let width = 0;
  let kept = "";
  for (const character of text) {
    width += displayWidth(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/**
 * Breaks lines that are longer than `columns` at blanks, each line by itself, and between East Asian characters, which are
 * written without; any other word stays whole.
 */
export function wrap(text: string, columns: number | undefined): readonly string[] {
  const lines = text.split("\n");
  if (columns === undefined) return lines;
  return lines.flatMap((line) => (displayWidth(line) <= columns ? [line] : wrapLine(line, columns)));
}

function wrapLine(line: string, columns: number): readonly string[] {
  const indent = /^\s*(?:[-*] |\d+\. )?/.exec(line)?.[0] ?? "";
  const [first = "", ...parts] = line.slice(indent.length).split(" ").flatMap(breakable);
  const lines: string[] = [];
  let current = indent + first.trimStart();
  for (const part of parts) {
    if (displayWidth(current) + displayWidth(part) <= columns) current += part;
    else {
      lines.push(current);
      current = " ".repeat(indent.length) + part.trimStart();
    }
  }
  return [...lines, current];
}

// What closes a clause stays with what is before it.
const piece = new RegExp(
  `${wide.source}[\\u3001\\u3002\\uff01\\uff09\\uff0c\\uff1a\\uff1f\\u300d]*|(?:(?!${wide.source}).)+`,
  "gu",
);

/** A word as the parts between which a line may end; the first has the blank that stands before the word. */
function breakable(word: string): readonly string[] {
  const parts = wide.test(word) ? (word.match(piece) ?? [word]) : [word];
  return parts.map((part, i) => (i === 0 ? ` ${part}` : part));
}
