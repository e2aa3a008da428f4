import type { Files } from "../ports/files.ts";
import type { Block } from "./history-blocks.ts";
import { blockBytes, blockLine, blocksOf, byteSum, emptySum, parseBlockLine } from "./history-blocks.ts";

/** Last line of the file: of what is in front of it. */
interface Mark {
  /** Commit whose logs are in the file. */
  readonly h: string;
  /** Up to here the file is in blocks, bytes. */
  readonly f: number;
  /** Sum of what is between there and this line. */
  readonly s: number;
}

interface End {
  readonly mark: Mark;
  /** Bytes of the file. */
  readonly size: number;
  /** Sum of what is not in blocks, this mark included. */
  readonly sum: number;
}

const noCommit = "0";
/** Longer than any mark. */
const tailBytes = 256;
/** Written, or put into blocks, at a time, so that other work goes on in between. */
const chunkLines = 4_000;
const chunkBytes = 1_000_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Lines of events in one file of the cache, and beside it the blocks that they lie in. Lines are added behind what is there,
 * then a mark; only a file whose last line is a whole mark counts. Nothing is synced: what a crash tears does not count.
 */
export class HistoryFile {
  readonly #files: Files;
  readonly #paths: { readonly lines: string; readonly blocks: string };
  #end: End | "None" | undefined;

  constructor(files: Files, directory: string) {
    this.#files = files;
    const [lines = "", blocks = ""] = historyNames.map((name) => `${directory}/${name}`);
    this.#paths = { lines, blocks };
  }

  /** Commit whose logs are in the file; undefined: there is no file that counts. */
  async commit(): Promise<string | undefined> {
    const end = await this.#known();
    return end === "None" || end.mark.h === noCommit ? undefined : end.mark.h;
  }

  /** Adds what a later commit has more. False: the file is not what it was when it was last looked at. */
  async add(commit: string, lines: readonly string[]): Promise<boolean> {
    const end = await this.#known();
    if (end === "None") return false;
    this.#end = undefined;
    const file = await this.#files.openAppend(this.#paths.lines, { mode: 0o600 });
    try {
      if (file.size !== end.size) return false;
      let { sum } = end;
      for (let from = 0; from < lines.length; from += chunkLines) {
        const text = `${lines.slice(from, from + chunkLines).join("\n")}\n`;
        sum = byteSum(encoder.encode(text), sum);
        await file.append(text, { durable: false });
      }
      const line = markLine({ h: commit, f: end.mark.f, s: sum });
      await file.append(line, { durable: false });
      this.#end = await this.#inBlocks({
        mark: { h: commit, f: end.mark.f, s: sum },
        size: file.size,
        sum: byteSum(encoder.encode(line), sum),
      });
    } finally {
      await file.close();
    }
    return true;
  }

  /** Begins anew. */
  async begin(commit: string, lines: readonly string[]): Promise<void> {
    // Of no commit, until all of its lines are there.
    const mark = { h: noCommit, f: 0, s: emptySum };
    const line = markLine(mark);
    await this.#files.writeAtomic(this.#paths.blocks, "", { mode: 0o600 });
    await this.#files.writeAtomic(this.#paths.lines, line, { mode: 0o600 });
    this.#end = { mark, size: line.length, sum: byteSum(encoder.encode(line)) };
    await this.add(commit, lines);
  }

  /** Puts what lies outside into blocks once it is more than one. */
  async #inBlocks(end: End): Promise<End> {
    if (end.size - end.mark.f < blockBytes) return end;
    const file = await this.#files.openRead(this.#paths.lines);
    const blocks = await this.#files.openAppend(this.#paths.blocks, { mode: 0o600 });
    const lines = await this.#files.openAppend(this.#paths.lines, { mode: 0o600 });
    try {
      for (let from = end.mark.f; from < end.size; ) {
        const bytes = file?.bytes(from, Math.min(end.size, from + chunkBytes)) ?? new Uint8Array();
        const whole = bytes.subarray(0, bytes.lastIndexOf(10) + 1);
        if (whole.length === 0) return end;
        await blocks.append([...blocksOf(whole, from)].map(blockLine).join(""), { durable: false });
        from += whole.length;
      }
      const mark = { h: end.mark.h, f: end.size, s: emptySum };
      const line = markLine(mark);
      await lines.append(line, { durable: false });
      return { mark, size: lines.size, sum: byteSum(encoder.encode(line)) };
    } finally {
      await Promise.all([file?.close(), blocks.close(), lines.close()]);
    }
  }

  async #known(): Promise<End | "None"> {
    this.#end ??= await this.#readEnd();
    return this.#end;
  }

  async #readEnd(): Promise<End | "None"> {
    const file = await this.#files.openRead(this.#paths.lines);
    const tail = file?.bytes(Math.max(0, file.size - tailBytes), file.size) ?? new Uint8Array();
    await file?.close();
    const { mark, line } = lastMark(decoder.decode(tail));
    if (mark === undefined || file === undefined) return "None";
    const blocks = await this.#blocks(mark.f);
    if (blocks === undefined) return "None";
    // What a process that was killed had put into blocks, and not marked so.
    const used = blocks.reduce((bytes, block) => bytes + blockLine(block).length, 0);
    if (((await this.#files.stat(this.#paths.blocks))?.size ?? 0) > used)
      await this.#files.truncate(this.#paths.blocks, used);
    return { mark, size: file.size, sum: byteSum(encoder.encode(line), mark.s) };
  }

  async #blocks(to: number): Promise<readonly Block[] | undefined> {
    const text = await this.#files.readText(this.#paths.blocks);
    const lines = text?.split("\n").slice(0, -1) ?? [];
    const blocks: Block[] = [];
    for (const line of lines) {
      const block = (blocks.at(-1)?.to ?? 0) === to ? undefined : parseBlockLine(line);
      if (block === undefined) break;
      blocks.push(block);
    }
    return (blocks.at(-1)?.to ?? 0) === to ? blocks : undefined;
  }

  /** Texts of lines of a commit among which are all that `fits` lets through; undefined: they are not known. */
  async texts(commit: string, fits: (block: Block) => boolean): Promise<readonly string[] | undefined> {
    const file = await this.#files.openRead(this.#paths.lines);
    if (file === undefined) return undefined;
    try {
      const { mark, line } = lastMark(decoder.decode(file.bytes(Math.max(0, file.size - tailBytes), file.size)));
      const blocks = mark?.h === commit ? await this.#blocks(mark.f) : undefined;
      if (mark === undefined || blocks === undefined) return undefined;
      const texts: string[] = [];
      const read = (from: number, to: number, sum: number): boolean => {
        const bytes = file.bytes(from, to);
        texts.push(decoder.decode(bytes));
        return byteSum(bytes) === sum;
      };
      let from = 0;
      for (const block of blocks) {
        if (fits(block) && !read(from, block.to, block.sum)) return undefined;
        from = block.to;
      }
      return read(from, file.size - encoder.encode(line).length, mark.s) ? texts : undefined;
    } finally {
      await file.close();
    }
  }
}

/** Files that the cache keeps for it. */
export const historyNames: readonly string[] = ["history.jsonl", "history-blocks.txt"];

function markLine(mark: Mark): string {
  return `${JSON.stringify(mark)}\n`;
}

function lastMark(text: string): { readonly mark: Mark | undefined; readonly line: string } {
  const line = text.slice(text.lastIndexOf("\n", text.length - 2) + 1);
  const found = /^\{"h":"([0-9a-f]+)","f":(\d+),"s":(\d+)\}\n$/.exec(line);
  const mark = found === null ? undefined : { h: found[1] ?? "", f: Number(found[2]), s: Number(found[3]) };
  return { mark, line };
}
