export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "cyan";

/** Puts a style around a text, or not. */
export type Paint = (style: Style, text: string) => string;

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

export const plain: Paint = (_style, text) => text;

export const coloured: Paint = (style, text) => {
  const [on, off] = codes[style];
  return text === "" ? "" : `\u001b[${on}m${text}\u001b[${off}m`;
};

/** Colours for a terminal unless NO_COLOR or TERM=dumb say otherwise (https://no-color.org). */
export function paintFor(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const wanted = isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return wanted ? coloured : plain;
}

const icons: Readonly<Record<string, readonly [string, Style | undefined]>> = {
  open: ["○", undefined],
  in_progress: ["◐", "yellow"],
  hooked: ["◐", "yellow"],
  blocked: ["●", "red"],
  deferred: ["❄", "blue"],
  pinned: ["📌", undefined],
  closed: ["✓", "green"],
};

/** bd's sign of a status; a diamond for custom ones. */
export function statusIcon(status: string, paint: Paint): string {
  const [icon, style] = icons[status] ?? ["◇", undefined];
  return style === undefined ? icon : paint(style, icon);
}

export function priorityText(priority: number, paint: Paint): string {
  const text = `P${priority}`;
  if (priority === 0) return paint("red", paint("bold", text));
  if (priority === 1) return paint("yellow", text);
  return priority >= 3 ? paint("dim", text) : text;
}
