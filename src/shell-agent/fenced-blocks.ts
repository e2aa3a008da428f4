/** A fenced code block of a Markdown text. */
export interface FencedBlock {
  /** First word after the opening fence, lower case; empty when there is none. */
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** False when the text ends before the closing fence: what is there may be cut off. */
  readonly closed: boolean;
}

const FENCE = /^( {0,3})(`{3,}|~{3,})(.*)$/;

/** All fenced blocks, outermost only, as CommonMark reads them (https://spec.commonmark.org/0.31.2/#fenced-code-blocks). */
export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  const blocks: FencedBlock[] = [];
  const lines = markdown.replace(/\r\n?/g, "\n").split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const opening = FENCE.exec(lines[at] ?? "");
    const [, indent = "", fence = "", info = ""] = opening ?? [];
    // A backtick fence with a backtick behind it is inline code.
    if (opening === null || (fence.startsWith("`") && info.includes("`"))) continue;
    const end = lines.findIndex((line, index) => index > at && closes(line, fence));
    const body = lines.slice(at + 1, end === -1 ? lines.length : end);
    const text = body.map((line) => `${line.replace(new RegExp(`^ {0,${indent.length}}`), "")}\n`).join("");
    const language = (info.trim().split(/\s+/)[0] ?? "").toLowerCase();
    blocks.push({ language, text, line: at + 1, closed: end !== -1 });
    at = end === -1 ? lines.length : end;
  }
  return blocks;
}

function closes(line: string, fence: string): boolean {
  const match = FENCE.exec(line);
  const mark = match?.[2] ?? "";
  return match !== null && mark[0] === fence[0] && mark.length >= fence.length && (match[3] ?? "").trim() === "";
}
