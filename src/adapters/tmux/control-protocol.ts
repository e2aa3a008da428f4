/** What a control-mode client of tmux prints, taken apart: `%begin … %end` blocks and one-line notices. See tmux(1), CONTROL MODE. */
export type ControlItem =
  | { readonly kind: "Block"; readonly ok: boolean; readonly lines: readonly string[] }
  | { readonly kind: "Notice"; readonly text: string };

/**
 * Turns chunks of output into items. A block ends only at the line that repeats the numbers of its beginning, so text
 * inside it that looks like a guard changes nothing.
 */
export class ControlParser {
  #rest = "";
  #open: { readonly stamp: string; readonly lines: string[] } | undefined;

  feed(chunk: string): readonly ControlItem[] {
    const items: ControlItem[] = [];
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const item = this.#line(line);
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  #line(line: string): ControlItem | undefined {
    if (this.#open === undefined) {
      if (line.startsWith("%begin ")) {
        this.#open = { stamp: line.slice("%begin ".length), lines: [] };
        return undefined;
      }
      return { kind: "Notice", text: line };
    }
    const { stamp, lines } = this.#open;
    const ended = line === `%end ${stamp}`;
    if (!ended && line !== `%error ${stamp}`) {
      lines.push(line);
      return undefined;
    }
    this.#open = undefined;
    return { kind: "Block", ok: ended, lines };
  }
}

/**
 * One argument of a tmux command line, literally. Throws RangeError on control characters: a command is one line, and
 * whatever may hold them goes through a file.
 */
export function tmuxWord(text: string): string {
  for (const character of text) {
    if (character < " " || character === "\u007f")
      throw new RangeError("a tmux argument must not hold control characters");
  }
  // A word that begins with % would be a directive (%if).
  return /^[A-Za-z0-9_@+=:,./-][A-Za-z0-9_@%+=:,./-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Text for an argument in which tmux expands `#{…}` formats. */
export function formatLiteral(text: string): string {
  return text.replaceAll("#", "##");
}

/** Text for an argument in which tmux expands formats and strftime's `%`. */
export function timeFormatLiteral(text: string): string {
  return formatLiteral(text).replaceAll("%", "%%");
}
