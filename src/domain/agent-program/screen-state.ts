import { resetTimeOf } from "./reset-time.ts";
import { afterLastPrompt } from "./town-prompts.ts";

/** How a program's state shows on its terminal, as regular expressions; absent ones never match. */
export interface ScreenSigns {
  readonly ready: {
    /** Screen of a program that takes input. */
    readonly screen?: string | undefined;
    /** Screen of a program at work. */
    readonly busyScreen?: string | undefined;
    readonly idleTitle?: string | undefined;
    readonly busyTitle?: string | undefined;
  };
  readonly patterns?:
    | {
        readonly rateLimited?: string | undefined;
        readonly limitDialog?: string | undefined;
        readonly authRequired?: string | undefined;
        readonly dialogOpen?: string | undefined;
      }
    | undefined;
}

export type ScreenState =
  | { readonly state: "Idle" | "Busy" | "AuthRequired" | "DialogOpen" | "Unknown" }
  /**
   * `resetAtMs` is absent when the screen does not say when. `menu`: it asks what to do about the limit, and goes on
   * asking when that is over. `isAnswer`: it stands below a prompt of the town.
   */
  | { readonly state: "RateLimited"; readonly resetAtMs?: number; readonly menu?: true; readonly isAnswer?: true };

/** What stands above is talk that has scrolled by: only the end of a screen tells its state. */
const TAIL_ROWS = 24;
const MEMO_LIMIT = 500;
const compiled = new Map<string, RegExp | undefined>();

/**
 * What a program is doing, by its screen and title. `Unknown` is an answer: nothing may be concluded from it.
 *
 * A question of the program itself stands in front of everything (one that asks to log in is `AuthRequired`). While it works, what it prints (which may quote an
 * error about limits) is not its state. A limit above the last prompt of the town is talk about a former one. Expressions
 * are multi-line and see the last 24 rows that are not empty; one that is no regular expression never matches.
 * `saidMs`: when the screen was printed, which spans and times of day are told from. Default: now.
 */
export function screenState(
  signs: ScreenSigns,
  screen: string,
  title: string | undefined,
  nowMs: number,
  saidMs = nowMs,
): ScreenState {
  const tail = tailOf(screen);
  const { ready, patterns } = signs;
  const needsLogin = matches(patterns?.authRequired, tail);
  const { isTold, ...reset } = limitOn(tail, patterns?.rateLimited, saidMs);
  if (matches(patterns?.limitDialog, tail)) return { state: "RateLimited", ...reset, menu: true };
  if (matches(patterns?.dialogOpen, tail)) return { state: needsLogin ? "AuthRequired" : "DialogOpen" };
  if (matches(ready.busyScreen, tail) || matches(ready.busyTitle, title)) return { state: "Busy" };
  if (needsLogin) return { state: "AuthRequired" };
  // What it said stays on the screen after the limit has ended.
  if (isTold && (reset.resetAtMs ?? nowMs + 1) > nowMs) return { state: "RateLimited", ...reset };
  return { state: takesInput(ready, tail, title) ? "Idle" : "Unknown" };
}

function limitOn(
  tail: string,
  source: string | undefined,
  saidMs: number,
): { readonly isTold: boolean; readonly resetAtMs?: number; readonly isAnswer?: true } {
  const rows = afterLastPrompt(tail);
  const limit = found(source, rows);
  if (limit === undefined) return { isTold: false };
  const resetAtMs = resetTimeOf(limit, saidMs);
  return {
    isTold: true,
    ...(resetAtMs === undefined ? {} : { resetAtMs }),
    ...(rows === tail ? {} : { isAnswer: true }),
  };
}

function takesInput(ready: ScreenSigns["ready"], tail: string, title: string | undefined): boolean {
  // Both where both are given: a title is set once and stays when the program behind it hangs in something else.
  const screenSays = ready.screen === undefined || matches(ready.screen, tail);
  const titleSays = ready.idleTitle === undefined || matches(ready.idleTitle, title);
  const told = ready.screen !== undefined || ready.idleTitle !== undefined;
  return told && screenSays && titleSays;
}

/** The problem of a regular expression in a manifest, or undefined. */
export function patternProblem(source: string): string | undefined {
  try {
    new RegExp(source, "mu");
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function tailOf(screen: string): string {
  return screen
    .split("\n")
    .map((row) => row.replace(/[\s\u00a0]+$/, ""))
    .filter((row) => row !== "")
    .slice(-TAIL_ROWS)
    .join("\n");
}

function matches(source: string | undefined, text: string | undefined): boolean {
  return source !== undefined && text !== undefined && expression(source)?.test(text) === true;
}

/** The rows from a match on: what says when a limit ends follows what says that there is one. */
function found(source: string | undefined, text: string): string | undefined {
  const at = source === undefined ? -1 : (expression(source)?.exec(text)?.index ?? -1);
  return at === -1 ? undefined : text.slice(at).split("\n").slice(0, 4).join(" ");
}

function expression(source: string): RegExp | undefined {
  if (!compiled.has(source)) {
    if (compiled.size >= MEMO_LIMIT) compiled.clear();
    compiled.set(source, patternProblem(source) === undefined ? new RegExp(source, "mu") : undefined);
  }
  return compiled.get(source);
}
