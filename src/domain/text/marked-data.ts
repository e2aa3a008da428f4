/**
 * Text that somebody else wrote, for a model: between `<data from="…">` and `</data>`, with control characters taken out
 * and whatever looks like those marks made harmless, so that nothing in it can pass for the town's own words.
 */
export function markedData(from: string, text: string): string {
  const clean = withoutControls(text)
    .replaceAll(/<(\/?)(data)/gi, "<$1\u2060$2")
    .trim();
  return `<data from="${from.replaceAll(/["<>\n]/g, " ")}">\n${clean}\n</data>`;
}

/** Without what would act on a terminal (tabs and newlines stay), and without the overrides of direction that hide text. */
export function withoutControls(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "");
}
