/** Signal numbers that Linux and macOS share; others are reported by number as `SIG<n>`. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
};

export interface ExitStatus {
  /** 0 to 255; 128 + n when signal n ended the program, as shells report it. */
  readonly exitCode: number;
  readonly exitSignal?: string;
}

/**
 * Reads the `$?` of a shell. A program that itself exits with 128 + n cannot be told from one that signal n ended;
 * both are reported with the signal, which is what such programs mean by it.
 */
export function exitStatusOfShell(code: number): ExitStatus {
  const signal = code > 128 ? SIGNALS[code - 128] : undefined;
  return signal === undefined ? { exitCode: code } : { exitCode: code, exitSignal: signal };
}

/** Exit status of a program that a signal ended, by the signal's number. */
export function exitStatusOfSignal(signal: number): ExitStatus {
  return { exitCode: 128 + signal, exitSignal: SIGNALS[signal] ?? `SIG${signal}` };
}

/** Exit status of a program that a signal ended, by the signal's name. */
export function exitStatusOfSignalName(name: string): ExitStatus {
  const entry = Object.entries(SIGNALS).find(([, known]) => known === name);
  return { exitCode: entry === undefined ? 255 : 128 + Number(entry[0]), exitSignal: name };
}
