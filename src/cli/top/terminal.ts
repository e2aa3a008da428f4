import { constants } from "node:os";
import type { ReadStream } from "node:tty";
import { decodeKeys, type Key } from "./keys.ts";
import type { Line } from "./line.ts";
import { painted } from "./paint.ts";

/** The terminal while the view has it to itself. */
export interface TopTerminal {
  readonly columns: number;
  readonly rows: number;
  /** Shows these lines; only those that differ from what is shown are written. */
  draw(lines: readonly Line[]): void;
  /** Gives the terminal back while `work` has it, then takes it again. */
  lend<T>(work: () => Promise<T>): Promise<T>;
  /** Stops this program as ctrl-Z does, until it is continued. */
  suspend(): void;
  /** Draws everything anew next time. */
  forget(): void;
  close(): void;
}

export interface TerminalEvents {
  keys(keys: readonly Key[]): void;
  /** Its size changed, or it was given back: draw. */
  changed(): void;
  /** Nobody can type any more. */
  gone(): void;
}

// Alternate screen, no wrapping at the right edge, hidden cursor, pasted text in brackets (xterm, ctlseqs).
const ENTER = "\u001b[?1049h\u001b[?7l\u001b[?25l\u001b[?2004h\u001b[0m\u001b[2J";
const LEAVE = "\u001b[?2004l\u001b[0m\u001b[?25h\u001b[?7h\u001b[?1049l";
/** So long the rest of a key's sequence may be under way; a lone ESC is the escape key then. */
const ESCAPE_MS = 50;
const FATAL = ["SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Takes this process's terminal: alternate screen, raw keys. It is given back by `close`, when the process exits for
 * whatever reason, and while it is stopped (SIGTSTP) or lent; SIGTERM, SIGHUP and SIGQUIT give it back and end the process.
 */
export function openTerminal(events: TerminalEvents, colours: boolean): TopTerminal {
  const { stdin, stdout } = process;
  let shown: readonly string[] = [];
  let isOpen = false;
  let pending = "";
  let timer: NodeJS.Timeout | undefined;

  const read = (text: string, isAll: boolean): void => {
    const { keys, rest } = decodeKeys(pending + text, isAll);
    pending = rest;
    clearTimeout(timer);
    timer = rest === "" ? undefined : setTimeout(() => read("", true), ESCAPE_MS);
    if (keys.length > 0) events.keys(keys);
  };
  const arrived = (chunk: Buffer | string): void => read(String(chunk), false);
  const enter = (): void => {
    if (isOpen) return;
    isOpen = true;
    shown = [];
    rawMode(stdin, true);
    stdin.setEncoding("utf8").on("data", arrived).resume();
    stdout.write(ENTER);
  };
  const leave = (): void => {
    if (!isOpen) return;
    isOpen = false;
    clearTimeout(timer);
    pending = "";
    stdin.off("data", arrived).pause();
    rawMode(stdin, false);
    stdout.write(LEAVE);
  };
  const changed = (): void => {
    shown = [];
    if (isOpen) events.changed();
  };
  const stopped = (): void => {
    const wasOpen = isOpen;
    leave();
    process.once("SIGCONT", () => {
      if (!wasOpen) return;
      enter();
      events.changed();
    });
    // The default of SIGTSTP is gone with a handler of it.
    process.kill(process.pid, "SIGSTOP");
  };
  const fatal = (signal: NodeJS.Signals): void => {
    leave();
    process.exit(128 + constants.signals[signal]);
  };
  const gone = (): void => events.gone();

  for (const signal of FATAL) process.on(signal, fatal);
  process.on("SIGTSTP", stopped);
  process.on("exit", leave);
  stdout.on("resize", changed);
  stdin.on("end", gone).on("error", gone);
  stdout.on("error", gone);
  enter();

  return {
    get columns() {
      return Math.max(1, stdout.columns);
    },
    get rows() {
      return Math.max(1, stdout.rows);
    },
    draw(lines) {
      if (!isOpen) return;
      const next = lines.map((each) => painted(each, colours));
      const text = next
        .map((row, index) => (row === shown[index] ? "" : `\u001b[${index + 1};1H\u001b[K${row}`))
        .join("");
      shown = next;
      if (text !== "") stdout.write(text);
    },
    async lend(work) {
      leave();
      try {
        return await work();
      } finally {
        enter();
        events.changed();
      }
    },
    suspend: stopped,
    forget: changed,
    close() {
      leave();
      for (const signal of FATAL) process.off(signal, fatal);
      process.off("SIGTSTP", stopped);
      process.off("exit", leave);
      stdout.off("resize", changed).off("error", gone);
      stdin.off("end", gone).off("error", gone);
    },
  };
}

/** A terminal that was closed meanwhile cannot be set any more, and need not be. */
function rawMode(stdin: ReadStream, isRaw: boolean): void {
  try {
    stdin.setRawMode(isRaw);
  } catch {
    // Its end is reported by the stream.
  }
}
