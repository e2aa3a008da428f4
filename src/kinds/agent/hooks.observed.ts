import type { ScreenState } from "../../domain/agent-program/screen-state.ts";
import type { Answer } from "../../work/question.ts";

/** What the hooks loop knows of one agent when it plans. */
export interface HooksObserved {
  readonly now: number;
  readonly suspended: boolean;
  /** The running session of the agent's newest generation. Absent: none, or nothing may be concluded about it. */
  readonly session:
    | {
        readonly name: string;
        readonly generation: number;
        readonly startedAtMs: number;
        readonly lastActivityMs: number | undefined;
        /** Lines can be typed into it. */
        readonly canType: boolean;
      }
    | undefined;
  readonly hook:
    | {
        readonly bead: string;
        /** `<bead>@<fence>`: one hooking of it. */
        readonly key: string;
        /** When it was hooked, as far as is known. */
        readonly sinceMs: number;
        /** When this session read it; undefined: it has not. */
        readonly acknowledgedMs: number | undefined;
        /** Newest change of the bead or a step of it. */
        readonly progressMs: number;
        readonly question: { readonly text: string; readonly answer: Answer | undefined } | undefined;
      }
    | undefined;
  /** What the session has not been handed. */
  readonly mail:
    | {
        readonly newest: number;
        readonly oldest: number;
        readonly arrivedMs: number;
        readonly urgent: boolean;
        readonly count: number;
      }
    | undefined;
  /** When more will count as not handed, because nobody said that they were shown, ms; undefined: none will. */
  readonly nextMailMs: number | undefined;
  /** Messages that it was handed several times and never said that it was shown; it is not handed them any more. */
  readonly unconfirmed: number;
  readonly policy: {
    readonly acknowledgeMs: number;
    readonly idleMs: number;
    readonly busyLimitMs: number;
    readonly reminders: number;
    readonly restarts: number;
  };
  /** What the title alone says. */
  readonly title: "Idle" | "Busy" | "Unknown";
  /** What the screen said; absent when it was not looked at. */
  readonly screen: ScreenState | undefined;
  /** What its program has started uses the processor; looked at with a screen that says nothing. */
  readonly toolsWork: boolean;
  /** The screen of a program that takes input is known, so that "not ready" can be told. */
  readonly readyShows: boolean;
  /** Nothing is typed sooner after the session's start. */
  readonly delayMs: number;
  /** The first prompt is typed as soon as the program takes input. */
  readonly typesFirst: boolean;
  /** Last lines of the screen that was looked at. */
  readonly output: string | undefined;
  readonly provider: string;
  /** Why new sessions of the provider wait, and since when; ended holds are left out. */
  readonly hold: { readonly reason: string; readonly sinceMs: number } | undefined;
  /** When the provider's limit turned out to be over before its time, ms; 0: never. */
  readonly liftedMs: number;
}
