import { cellText, cutToWidth, displayWidth } from "../output/terminal-text.ts";

/** How a piece of text stands out. */
export type Tone = "plain" | "strong" | "dim" | "good" | "bad" | "doubt" | "accent" | "chosen";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

/** One row of the screen. */
export interface Line {
  readonly spans: readonly Span[];
}

/** A piece of text that is safe on a terminal: one line, no control characters. */
export function span(text: string, tone: Tone = "plain"): Span {
  return { text: cellText(text), tone };
}

/** Text of our own, with the spaces at its end. */
export function raw(text: string, tone: Tone = "plain"): Span {
  return { text, tone };
}

/** The characters of a text as a person counts them. */
export function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

export function line(...spans: readonly Span[]): Line {
  return { spans };
}

export function widthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, each) => sum + displayWidth(each.text), 0);
}

/** The spans cut to `width` columns (`…` where something is missing) and filled up with spaces to exactly that. */
export function fitted(spans: readonly Span[], width: number): readonly Span[] {
  const kept: Span[] = [];
  let left = width;
  let isCut = widthOf(spans) > width;
  for (const each of spans) {
    if (left <= 0) break;
    const own = displayWidth(each.text);
    if (own > left || (isCut && own === left)) {
      const text = own > left ? cutToWidth(each.text, left) : cutToWidth(`${each.text}  `, left);
      kept.push({ ...each, text });
      left -= displayWidth(text);
      isCut = false;
      break;
    }
    kept.push(each);
    left -= own;
  }
  return left > 0 ? [...kept, { text: " ".repeat(left), tone: "plain" }] : kept;
}

/** `left` and `right` at the two ends of `width` columns; the right one goes first where both do not fit. */
export function apart(left: readonly Span[], right: readonly Span[], width: number): Line {
  const room = width - widthOf(right);
  if (room < 12) return { spans: fitted(left, width) };
  return { spans: [...fitted(left, room - 1), { text: " ", tone: "plain" }, ...right] };
}

/** The text alone, without spaces at its end. */
export function plainLine({ spans }: Line): string {
  return spans
    .map((each) => each.text)
    .join("")
    .trimEnd();
}
