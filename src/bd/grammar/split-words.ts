import { usageError } from "./usage-error.ts";

/**
 * Words of a line as bd's batch reads them: separated by blanks; "double quotes" hold blanks, `\"` and `\\` in them stand
 * for a quote and a backslash. Throws TownError `Usage` for a quote that does not end.
 */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (let i = 0; i < line.length; i += 1) {
    const character = line[i] ?? "";
    const next = line[i + 1] ?? "";
    if (isQuoted && character === "\\" && (next === '"' || next === "\\")) {
      word = (word ?? "") + next;
      i += 1;
    } else if (character === '"') {
      isQuoted = !isQuoted;
      word ??= "";
    } else if (!isQuoted && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (isQuoted) throw usageError('a quote (") does not end on the line', 'write \\" for a quote inside of quotes');
  return word === undefined ? words : [...words, word];
}
