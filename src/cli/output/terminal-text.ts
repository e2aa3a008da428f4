// Text from beads, mail and programs may hold escape sequences; none of them may reach a terminal. A sequence is tried
// before the single characters, so that a torn one loses at least its first byte.
const UNWANTED =
  // oxlint-disable-next-line no-control-regex
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|[@-Z\\-_])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
// oxlint-disable-next-line no-control-regex
const COLOUR = /^\u001b\[[0-9;:]*m$/;

/** Text without control characters and escape sequences; newlines and tabs stay, CR LF becomes LF. */
export function plainText(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNWANTED, "");
}

/** Keeps colours (SGR) and drops every other control sequence: for output of programs, in whole lines. */
export function colouredText(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNWANTED, (found) => (COLOUR.test(found) ? found : ""));
}

const PRINTABLE_ASCII = /^[ -~]*$/;

/** One table cell: a single line of plain text, without spaces at its end. */
export function cellText(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text.trimEnd();
  return plainText(text)
    .replace(/[\n\t]+/g, " ")
    .trimEnd();
}

// East Asian wide and emoji blocks take two columns, combining marks none (Unicode TR11, the blocks that occur in practice).
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const ZERO = /\p{Mn}|\p{Me}|[\u200b-\u200f]/u;

/** Columns that a text takes on a terminal. */
export function displayWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** The text cut to `columns` with `…` as last character; unchanged when it fits. */
export function cutToWidth(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let width = 0;
  let kept = "";
  for (const character of text) {
    const next = displayWidth(character);
    if (width + next > columns - 1) break;
    width += next;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}
