import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../ports/clock.ts";
import type { ControlClient } from "./control-client.ts";
import { formatLiteral, tmuxWord } from "./control-protocol.ts";
import { type Screen, screenOf } from "./screen.ts";

export interface DoorbellInput {
  readonly client: ControlClient;
  readonly clock: Clock;
  readonly paneId: string;
  readonly generation: number;
  readonly text: string;
  /** Directory of own files for buffers, private to this process. */
  readonly scratch: string;
  readonly write: (path: string, text: string) => Promise<void>;
}

/** Real agent programs take an Enter that comes with the paste for a part of it: measured with four of them. */
const SETTLE_MS = 200;
/** How long a program may take to show what was pasted; on a busy machine that is more than it takes it in peace. */
const DRAW_MS = 2_000;
/** And to show that it took Enter: one too early would approve the question that it is about to draw. */
const VERIFY_MS = 2_000;
const LOOK_MS = 80;

let buffers = 0;

/**
 * Pastes a text and submits it. Each step is guarded inside the server by generation, life and mode of the pane, so that
 * nothing can slip in between a check and its keys. Enter is pasted as a bare carriage return: it reaches the program
 * even if a person begins to scroll right now, and needs no key translation. When the screen shows no sign of the
 * submission, Enter is pressed once more.
 */
export async function ringDoorbell(input: DoorbellInput): Promise<"Typed" | "Refused"> {
  const text = printable(input.text);
  if (text === "") return "Refused";
  const former = rowsWith(await screenOf(input), text);
  if (!(await paste(input, text, { bracketed: true }))) return "Refused";
  await drawn(input, text, former);
  await input.clock.sleep(SETTLE_MS);
  const before = await screenOf(input);
  if (!(await paste(input, "\n", { bracketed: false }))) return "Refused";
  if (!(await submitted(input, before, text))) await paste(input, "\n", { bracketed: false });
  return "Typed";
}

/** Control characters would act on the terminal (an escape sequence ends a bracketed paste); tabs and newlines are text. */
export function printable(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]/gu, "")
    .replace(/\n+$/, "");
}

async function paste(input: DoorbellInput, text: string, how: { readonly bracketed: boolean }): Promise<boolean> {
  const { client, paneId, generation, scratch } = input;
  buffers += 1;
  const buffer = `town-${process.pid}-${buffers}`;
  const path = join(scratch, buffer);
  await input.write(path, text);
  try {
    await client.request(`load-buffer -b ${buffer} ${tmuxWord(formatLiteral(path))}`);
    const alive = `#{&&:#{==:#{@town_generation},${generation}},#{==:#{pane_dead},0}}`;
    const guard = how.bracketed ? `#{&&:${alive},#{==:#{pane_in_mode},0}}` : alive;
    const yes = `paste-buffer ${how.bracketed ? "-p " : ""}-d -b ${buffer} -t ${paneId} ; display-message -p pasted`;
    const printed = await client.request(
      `if-shell -F -t ${paneId} ${tmuxWord(guard)} ${tmuxWord(yes)} 'delete-buffer -b ${buffer}'`,
    );
    return printed.includes("pasted");
  } finally {
    await rm(path, { force: true });
  }
}

/** Waits until the draft stands on the screen: before that, Enter would come with it, and its drawing look like an answer. */
async function drawn(input: DoorbellInput, text: string, former: number): Promise<void> {
  for (let waited = 0; waited < DRAW_MS; waited += LOOK_MS) {
    if (rowsWith(await screenOf(input), text) > former) return;
    await input.clock.sleep(LOOK_MS);
  }
}

/** Rows that show the end of a text: the same doorbell may have been rung before. */
function rowsWith({ rows }: Screen, text: string): number {
  const tail = lastWords(text);
  return rows.filter((row) => row.includes(tail)).length;
}

/** End of a text as it stands in one row. */
function lastWords(text: string): string {
  return (text.split("\n").at(-1) ?? "").trim().slice(-24);
}

async function submitted(input: DoorbellInput, before: Screen, text: string): Promise<boolean> {
  for (let waited = 0; waited < VERIFY_MS; waited += LOOK_MS) {
    await input.clock.sleep(LOOK_MS);
    if (showsSubmission(before, await screenOf(input), text)) return true;
  }
  return false;
}

/**
 * Whether a screen after Enter shows that the draft is no longer a draft: the cursor moved, the screen scrolled, or the
 * row that ended in the draft changed or moved. Motion elsewhere (a spinner) says nothing. A draft that is not on the
 * screen at all (the program folds long pastes, or has not drawn yet) is taken as submitted by any change.
 */
export function showsSubmission(before: Screen, after: Screen, text: string): boolean {
  if (before.cursorX !== after.cursorX || before.cursorY !== after.cursorY) return true;
  if (before.historyRows !== after.historyRows) return true;
  const tail = lastWords(text);
  const row = tail === "" ? -1 : before.rows.findLastIndex((each) => each.includes(tail));
  if (row === -1) return before.rows.join("\n") !== after.rows.join("\n");
  return after.rows[row] !== before.rows[row];
}
