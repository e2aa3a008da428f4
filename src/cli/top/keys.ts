/** A key as a person names it; characters are themselves. `paste` carries what was pasted. */
export type Key =
  | { readonly name: NamedKey }
  | { readonly name: "character"; readonly text: string }
  | { readonly name: "paste"; readonly text: string };

export type NamedKey =
  | "up"
  | "down"
  | "left"
  | "right"
  | "pageUp"
  | "pageDown"
  | "home"
  | "end"
  | "tab"
  | "backTab"
  | "enter"
  | "escape"
  | "backspace"
  | "delete"
  | "interrupt"
  | "stop"
  | "clearLine"
  | "endOfInput"
  | "redraw";

const ESC = "\u001b";
const PASTE_BEGIN = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;

/** What terminals send (xterm, ctlseqs: cursor keys in both modes, the VT keys that differ, rxvt's home and end). */
const SEQUENCES: Readonly<Record<string, NamedKey>> = {
  "[A": "up",
  OA: "up",
  "[B": "down",
  OB: "down",
  "[C": "right",
  OC: "right",
  "[D": "left",
  OD: "left",
  "[5~": "pageUp",
  "[6~": "pageDown",
  "[H": "home",
  OH: "home",
  "[1~": "home",
  "[7~": "home",
  "[F": "end",
  OF: "end",
  "[4~": "end",
  "[8~": "end",
  "[Z": "backTab",
  "[3~": "delete",
};

const CONTROLS: Readonly<Record<string, NamedKey>> = {
  "\t": "tab",
  "\r": "enter",
  "\n": "enter",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u0003": "interrupt",
  "\u0004": "endOfInput",
  "\u000c": "redraw",
  "\u0015": "clearLine",
  "\u001a": "stop",
};

// Escape sequences of keys: CSI with parameters, SS3 with one character.
// oxlint-disable-next-line no-control-regex
const SEQUENCE = /^\u001b(\[[0-9;?<]*[ -/]*[@-~]|O[@-~])/;
// oxlint-disable-next-line no-control-regex
const UNFINISHED = /^\u001b(?:\[[0-9;?<]*[ -/]*|O)?$/;

/**
 * The keys in what came from a terminal. `rest` is the beginning of a sequence whose end may still come: put it in front of
 * the next text, or, when none comes soon, decode it with `isAll`, by which a lone ESC is the escape key.
 */
export function decodeKeys(text: string, isAll = false): { readonly keys: readonly Key[]; readonly rest: string } {
  const keys: Key[] = [];
  let at = text;
  while (at !== "") {
    if (at.startsWith(PASTE_BEGIN)) {
      const end = at.indexOf(PASTE_END);
      if (end === -1 && !isAll) return { keys, rest: at };
      keys.push({ name: "paste", text: at.slice(PASTE_BEGIN.length, end === -1 ? undefined : end) });
      at = end === -1 ? "" : at.slice(end + PASTE_END.length);
      continue;
    }
    if (at.startsWith(ESC)) {
      if (!isAll && UNFINISHED.test(at)) return { keys, rest: at };
      const sequence = SEQUENCE.exec(at)?.[1];
      const name = sequence === undefined ? "escape" : SEQUENCES[sequence];
      // What no key of ours sends, such as a function key or a report of the terminal, is passed over.
      if (name !== undefined) keys.push({ name });
      at = at.slice(1 + (sequence?.length ?? 0));
      continue;
    }
    const [character = ""] = at;
    const control = CONTROLS[character];
    if (control !== undefined) keys.push({ name: control });
    else if (character >= " ") keys.push({ name: "character", text: character });
    at = at.slice(character.length);
  }
  return { keys, rest: "" };
}
