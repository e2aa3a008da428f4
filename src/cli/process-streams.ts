import { constants, fstatSync, statSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { Streams } from "./context.ts";
import { EXIT } from "./exit-codes.ts";

interface ProcessStreams extends Streams {
  /** Everything has left this process: it may end at once. */
  isWritten(): boolean;
}

/** The streams of this process. A reader that went away (`| head`) ends the process quietly. */
export function processStreams(): ProcessStreams {
  const outIsTerminal = isTerminal(1);
  const out = writer(1, () => process.stdout);
  const err = writer(2, () => process.stderr);
  return {
    out: out.write,
    err: err.write,
    isWritten: () => out.isWritten() && err.isWritten(),
    outIsTerminal,
    errIsTerminal: isTerminal(2),
    inIsTerminal: isTerminal(0),
    columns: outIsTerminal ? process.stdout.columns : undefined,
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
  };
}

/** Terminals are character devices; so is /dev/null. What is neither needs no node:tty, which takes 5 ms to load. */
function isTerminal(descriptor: number): boolean {
  try {
    const { mode, rdev } = fstatSync(descriptor);
    const isDevice = (mode & constants.S_IFMT) === constants.S_IFCHR;
    return isDevice && rdev !== statSync("/dev/null", { throwIfNoEntry: false })?.rdev && isatty(descriptor);
  } catch {
    // Closed by who started this.
    return false;
  }
}

/**
 * Writes straight to the descriptor, since making process.stdout costs 2 ms; once a pipe is full (EAGAIN, where someone
 * made it non-blocking) the stream takes over, in order.
 */
function writer(descriptor: number, stream: () => NodeJS.WriteStream): Writer {
  let useStream = false;
  const write = (text: string): void => {
    let rest = Buffer.from(text);
    while (!useStream && rest.length > 0) {
      try {
        rest = rest.subarray(writeSync(descriptor, rest));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EPIPE") process.exit(EXIT.done);
        if (code !== "EAGAIN") throw error;
        useStream = true;
        stream().on("error", quitOnBrokenPipe);
      }
    }
    if (rest.length > 0) stream().write(rest);
  };
  return { write, isWritten: () => !useStream };
}

interface Writer {
  write(this: void, text: string): void;
  isWritten(this: void): boolean;
}

function quitOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
}
