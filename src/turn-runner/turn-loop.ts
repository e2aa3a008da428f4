import type { TurnPlan } from "./turn-plan.ts";

/** What the hook and the inbox say between two turns. */
export interface Reading {
  /** Prompt that says all of it. */
  readonly text: string;
  /** Bead and step at hand, as one text; undefined for an empty hook. */
  readonly work: string | undefined;
  readonly hasMessages: boolean;
  /** To be given back when the reading became a turn's prompt. */
  readonly receipt?: Readonly<Record<string, unknown>> | undefined;
}

export interface TurnResult {
  readonly exitCode: number;
  /** First part of what it printed. */
  readonly output: string;
  /** It was ended because it took longer than a turn may. */
  readonly hung?: boolean;
}

/** What the loop does to the world. */
export interface TurnEffects {
  /** Reads hook and inbox; waits while the town is away. */
  read(): Promise<Reading>;
  /** The reading became a turn's prompt, or the turn came to nothing and its messages are to come again. */
  receipt(reading: Reading, how: "Shown" | "Lost"): Promise<void>;
  run(command: readonly string[]): Promise<TurnResult>;
  say(text: string): void;
  sleep(ms: number): Promise<void>;
}

/** Turns that may end without the work at hand moving on; then the session ends and its next start is put off. */
const MOST_IDLE_TURNS = 5;
/** One that hung counts as so many: the second in a row ends the session. */
const HUNG_TURN = 3;
const SHORTEST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;

/**
 * Runs a program that has no terminal, one turn after the other, as long as there is something to do. What to do is read
 * before each turn and given as its prompt, so nothing has to be typed.
 *
 * Returns the exit code of the session: 0 when there is nothing (more) to do, 1 when the work does not move.
 */
export async function runTurns(plan: TurnPlan, effects: TurnEffects): Promise<0 | 1> {
  let session = plan.session;
  let begun = plan.prompt !== undefined;
  let idleTurns = 0;
  let hung = false;
  let before: string | undefined;
  let prompted: Reading | undefined;
  let command: readonly string[] | undefined =
    plan.prompt === undefined ? undefined : filled(plan.first, { prompt: plan.prompt });
  for (;;) {
    if (command !== undefined) {
      // Before the turn: what its own hooks read in it is what comes after this.
      if (prompted !== undefined) await effects.receipt(prompted, "Shown");
      const result = await effects.run(command);
      session = sessionAfter(plan, session, result);
      hung = result.hung === true;
      effects.say(endText(plan, result));
      if (result.exitCode !== 0 && prompted?.hasMessages === true) await effects.receipt(prompted, "Lost");
      if (result.exitCode !== 0) await effects.sleep(pauseAfter(idleTurns));
    }
    const reading = await readingWithNews(plan, effects);
    if (reading === undefined) return 0;
    const isIdle = command !== undefined && reading.work === before && !reading.hasMessages;
    idleTurns = idleTurnsAfter(idleTurns, { isIdle, hung });
    if (idleTurns >= MOST_IDLE_TURNS) {
      effects.say(`${idleTurns} turns ended and ${reading.work ?? "the work"} did not move`);
      return 1;
    }
    if (idleTurns > 1) await effects.sleep(pauseAfter(idleTurns));
    before = reading.work;
    prompted = reading;
    command = begun ? furtherTurn(plan, session, reading) : filled(plan.first, { prompt: reading.text });
    begun = true;
  }
}

/** Waits for work or messages; undefined when the session ends without them. */
async function readingWithNews(plan: TurnPlan, effects: TurnEffects): Promise<Reading | undefined> {
  for (let waitMs = SHORTEST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    const reading = await effects.read();
    if (reading.work !== undefined || reading.hasMessages) return reading;
    if (plan.endsWithoutWork) return undefined;
    if (waitMs === SHORTEST_WAIT_MS) effects.say("waiting for work");
    await effects.sleep(waitMs);
  }
}

function idleTurnsAfter(idleTurns: number, turn: { readonly isIdle: boolean; readonly hung: boolean }): number {
  if (turn.hung) return idleTurns + HUNG_TURN;
  return turn.isIdle ? idleTurns + 1 : 0;
}

function endText({ limitMs = 0 }: TurnPlan, { exitCode, hung }: TurnResult): string {
  const why = hung === true ? `: it did not end by itself within ${limitMs / 60_000} minutes` : "";
  return `turn ended with ${exitCode}${why}`;
}

/** A turn that failed may have failed on its conversation: the next one begins anew. One that hung is gone on with. */
function sessionAfter(plan: TurnPlan, session: string | undefined, result: TurnResult): string | undefined {
  if (result.exitCode !== 0 && result.hung !== true) return undefined;
  const found =
    plan.sessionIdPattern === undefined ? undefined : new RegExp(plan.sessionIdPattern, "mu").exec(result.output)?.[1];
  return found ?? session;
}

function furtherTurn(plan: TurnPlan, session: string | undefined, reading: Reading): readonly string[] {
  return session === undefined || plan.next === undefined
    ? filled(plan.fresh, { prompt: reading.text })
    : filled(plan.next, { prompt: reading.text, session });
}

function filled(command: readonly string[], values: Readonly<Record<string, string>>): readonly string[] {
  return command.map((word) => word.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole));
}

function pauseAfter(idleTurns: number): number {
  return FIRST_PAUSE_MS * 2 ** idleTurns;
}
