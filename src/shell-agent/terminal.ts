import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** The screen and the keys of the person (or doorbell) in front of the program. */
export class Terminal {
  readonly #output: Writable & { readonly isTTY?: boolean };
  readonly #name: string;
  readonly #lines: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #ended = false;
  #midLine = false;
  #prompting = false;

  constructor(input: Readable, output: Writable & { readonly isTTY?: boolean }, name: string) {
    this.#output = output;
    this.#name = name;
    const reader = createInterface({ input, terminal: false });
    reader.on("line", (line) => {
      this.#midLine = false;
      this.#prompting = false;
      this.#lines.push(line);
      this.#deliver();
    });
    reader.on("close", () => {
      this.#ended = true;
      this.#deliver();
    });
  }

  /** A line of the program's own; what it quotes from a bead or an answer cannot act on the terminal. */
  say(text: string): void {
    this.print(`${this.#midLine ? "\n" : ""}${plain(text)}\n`);
  }

  /** Output of what it runs, as it is. */
  print(text: string): void {
    if (text === "") return;
    this.#output.write(text);
    this.#prompting = false;
    this.#midLine = !text.endsWith("\n");
  }

  /** The prompt that says "I am idle"; nothing when it already stands there. */
  prompt(): void {
    if (this.#prompting) return;
    this.print(`${this.#midLine ? "\n" : ""}shell-agent ${this.#name}> `);
    this.#prompting = true;
  }

  /** Terminal title, where there is a terminal. */
  title(state: string): void {
    if (this.#output.isTTY === true) this.#output.write(`\u001b]2;shell-agent ${plain(state)}\u0007`);
  }

  /** Lines that came while nobody asked are dropped: a doorbell only says "look at your hook". */
  forgetLines(): void {
    this.#lines.length = 0;
  }

  /** Next line; undefined after `ms`. Without `ms` it waits for as long as lines can come. */
  async line(ms?: number): Promise<string | undefined> {
    if (this.#lines.length > 0) return this.#lines.shift();
    if (this.#ended && ms === undefined) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const line = await new Promise<string | undefined>((resolve) => {
      this.#waiting = resolve;
      if (ms !== undefined) timer = setTimeout(() => resolve(undefined), ms);
    });
    clearTimeout(timer);
    this.#waiting = undefined;
    return line;
  }

  #deliver(): void {
    if (this.#waiting !== undefined && this.#lines.length > 0) this.#waiting(this.#lines.shift());
  }
}

function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, "");
}
