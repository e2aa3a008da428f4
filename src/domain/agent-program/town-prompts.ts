/** The one line that is ever typed. Content comes by `town prime` or the program's own hooks. */
export const DOORBELL = "[town] Something waits for you: run `town prime` and do what it says.";

/** First prompts. They are short and fixed: what to do comes through the program's start hook, or through `town prime`. */
export const PRIMED = "Begin. Your task came with the start of this session; `town prime` shows it again.";
export const UNPRIMED = "Run `town prime` and do what it says.";
export const RESUMED = "This session was interrupted and goes on now. Run `town prime` and do what it says.";

/** So much of a prompt stands in one row of any terminal, where programs show what they were asked. */
const SHOWN_CHARACTERS = 30;
const BEGINNINGS = [DOORBELL, PRIMED, UNPRIMED, RESUMED].map((prompt) => prompt.slice(0, SHOWN_CHARACTERS));

/** The rows that came after the last prompt of the town; all of them when none shows. */
export function afterLastPrompt(rows: string): string {
  const last = Math.max(...BEGINNINGS.map((beginning) => rows.lastIndexOf(beginning)));
  return last === -1 ? rows : rows.slice(last);
}
