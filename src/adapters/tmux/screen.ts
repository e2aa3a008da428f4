import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ControlClient } from "./control-client.ts";
import { formatLiteral, tmuxWord } from "./control-protocol.ts";

/** What a pane shows now. */
export interface Screen {
  readonly cursorX: number;
  readonly cursorY: number;
  /** Rows that have scrolled away so far, within the history limit. */
  readonly historyRows: number;
  readonly rows: readonly string[];
}

export interface PaneReach {
  readonly client: ControlClient;
  readonly paneId: string;
  readonly scratch: string;
}

let captures = 0;

/**
 * Text of a pane from `firstRow` on (negative: that many rows of history). It goes through a file, since what a program
 * prints could imitate the guards of the control protocol. Undefined when there is no such pane.
 */
export async function captureScreen(
  pane: PaneReach,
  firstRow: number | "Visible",
  joined: boolean,
): Promise<string | undefined> {
  captures += 1;
  const buffer = `town-screen-${process.pid}-${captures}`;
  const path = join(pane.scratch, buffer);
  const range = firstRow === "Visible" ? "" : `-S ${firstRow} `;
  const capture = `capture-pane ${joined ? "-J " : ""}${range}-b ${buffer} -t ${pane.paneId}`;
  try {
    await pane.client.request(
      `${capture} ; save-buffer -b ${buffer} ${tmuxWord(formatLiteral(path))} ; delete-buffer -b ${buffer}`,
    );
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && error.message.includes("can't find pane")) return undefined;
    throw error;
  } finally {
    await rm(path, { force: true });
  }
}

export async function screenOf(pane: PaneReach): Promise<Screen> {
  const [place] = await pane.client.request(
    `display-message -p -t ${pane.paneId} '#{cursor_x} #{cursor_y} #{history_size}'`,
  );
  const [cursorX = 0, cursorY = 0, historyRows = 0] = (place ?? "").split(" ").map(Number);
  const text = (await captureScreen(pane, "Visible", false)) ?? "";
  return { cursorX, cursorY, historyRows, rows: text.split("\n") };
}

/** Last lines of a captured screen, without the empty rest of the screen; a prompt keeps its trailing space. */
export function lastLines(text: string, lines: number): string {
  const rows = text.split("\n");
  while (rows.at(-1)?.trim() === "") rows.pop();
  return rows.slice(-lines).join("\n");
}
