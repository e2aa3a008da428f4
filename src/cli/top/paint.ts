import type { Line, Tone } from "./line.ts";

/** SGR parameters of each tone; without colours only weight and inversion are left (https://no-color.org). */
const COLOURED: Readonly<Record<Tone, string>> = {
  plain: "",
  strong: "1",
  dim: "2",
  good: "32",
  bad: "31;1",
  doubt: "33",
  accent: "36;1",
  chosen: "7",
};
const COLOURLESS: Readonly<Record<Tone, string>> = { ...COLOURED, good: "", bad: "1", doubt: "", accent: "1" };

/** A line with its escape sequences, neighbours of one tone together, ended in the plain tone. */
export function painted({ spans }: Line, colours: boolean): string {
  const codes = colours ? COLOURED : COLOURLESS;
  let text = "";
  let now = "";
  for (const { text: piece, tone } of spans) {
    if (piece === "") continue;
    const code = codes[tone];
    if (code !== now) text += code === "" ? "\u001b[0m" : `\u001b[0;${code}m`;
    now = code;
    text += piece;
  }
  return now === "" ? text : `${text}\u001b[0m`;
}
