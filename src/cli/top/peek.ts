import type { CommandContext } from "../context.ts";
import { errorText } from "../error-text.ts";
import { plainText } from "../output/terminal-text.ts";
import { callVerb } from "../verbs/call-verb.ts";
import { pause } from "./pause.ts";
import type { Page } from "./top-view.ts";

const EVERY_MS = 1_000;
const LINES = 500;

/** Tells what an agent's screen shows, once a second while it changes, until aborted. */
export async function followScreen(
  agent: string,
  context: CommandContext,
  signal: AbortSignal,
  told: (screen: Pick<Page, "title" | "lines">) => void,
): Promise<void> {
  let last = "";
  while (!signal.aborted) {
    const screen = await screenOf(agent, context, signal);
    const text = screen.lines.join("\n");
    if (!signal.aborted && text !== last) told(screen);
    last = text;
    await pause(EVERY_MS, signal);
  }
}

async function screenOf(
  agent: string,
  context: CommandContext,
  signal: AbortSignal,
): Promise<Pick<Page, "title" | "lines">> {
  try {
    const { text, data } = await callVerb(context.api(), "peek", { agent, lines: LINES }, { signal });
    const { generation } = (data ?? {}) as { readonly generation?: number };
    const title = `peek ${agent}${generation === undefined ? "" : `, session ${generation}`}: live; a attaches, n nudges`;
    return { title, lines: plainText(text).replaceAll("\t", "        ").trimEnd().split("\n") };
  } catch (error) {
    return { title: `peek ${agent}`, lines: errorText(error).trimEnd().split("\n") };
  }
}
