import type { Streams } from "./context.ts";
import { EXIT } from "./exit-codes.ts";

/** The streams of this process. A reader that went away (`| head`) ends the process quietly. */
export function processStreams(): Streams {
  const { stdout, stderr, stdin } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(EXIT.done);
  });
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outIsTerminal: stdout.isTTY === true,
    errIsTerminal: stderr.isTTY === true,
    inIsTerminal: stdin.isTTY === true,
    columns: stdout.isTTY === true ? stdout.columns : undefined,
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    },
  };
}
