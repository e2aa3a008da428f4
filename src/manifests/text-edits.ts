/** Replaces `start` to `end` (exclusive) of a text. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A text (or the part of it from `from` to `to`) with edits that do not overlap; those of one place keep their order. */
export function applyEdits(text: string, edits: readonly TextEdit[], from = 0, to: number = text.length): string {
  const ordered = edits
    .filter((edit) => edit.start >= from && edit.end <= to)
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let result = "";
  let at = from;
  for (const edit of ordered) {
    result += text.slice(at, edit.start) + edit.text;
    at = edit.end;
  }
  return result + text.slice(at, to);
}

/** Offset at which the line of an offset begins. */
export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Offset after the line end of the line that an offset is in; the end of the text for its last line. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

/** First offset not before `offset` at which a line begins. */
export function lineBoundary(text: string, offset: number): number {
  return offset === 0 || text[offset - 1] === "\n" ? offset : nextLine(text, offset);
}
