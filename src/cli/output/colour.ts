import { styleText } from "node:util";

const GOOD = new Set([
  "True",
  "Ready",
  "Running",
  "Synced",
  "Healthy",
  "Merged",
  "Complete",
  "Completed",
  "Active",
  "Working",
]);
const BAD = new Set([
  "False",
  "Failed",
  "Degraded",
  "Stalled",
  "Zombie",
  "Rejected",
  "Dead",
  "Warning",
  "Missing",
  "OutOfSync",
]);
const DOUBT = new Set(["Unknown", "Progressing", "Pending", "Suspended", "Terminating", "Blocked", "Reconciling"]);

/** What a state word means for whoever reads it. */
export function toneOf(text: string): "good" | "bad" | "doubt" | "plain" {
  if (GOOD.has(text)) return "good";
  if (BAD.has(text)) return "bad";
  return DOUBT.has(text) ? "doubt" : "plain";
}

const COLOURS = { good: "green", bad: "red", doubt: "yellow" } as const;

/** Colour of a table cell whose whole text is a state word; other cells stay as they are. */
export function paintState(text: string): string {
  const tone = toneOf(text);
  return tone === "plain" ? text : styleText(COLOURS[tone], text, { validateStream: false });
}

export function bold(text: string): string {
  return styleText("bold", text, { validateStream: false });
}

/** Colours are wanted: a terminal, and neither NO_COLOR nor TERM=dumb says otherwise (https://no-color.org). */
export function coloursWanted(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  return isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}
