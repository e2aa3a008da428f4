import type { Streams } from "../../src/cli/context.ts";

/** Streams without a terminal that keep what is written to them. */
export class TextStreams implements Streams {
  stdout = "";
  stderr = "";
  readonly outIsTerminal = false;
  readonly errIsTerminal = false;
  readonly inIsTerminal = false;
  readonly columns = undefined;
  readonly #stdin: string;

  constructor(stdin = "") {
    this.#stdin = stdin;
  }

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }

  readStdin(): Promise<string> {
    return Promise.resolve(this.#stdin);
  }
}
