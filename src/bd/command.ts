import type { Author, GraphTransaction, WorkGraph } from "../ports/work-graph.ts";
import type { BdContext } from "./context.ts";
import type { Flag } from "./grammar/flag.ts";
import type { Flags } from "./grammar/flags.ts";
import type { Paint } from "./output/paint.ts";

export type CommandGroup = "Issues" | "Finding work" | "Dependencies" | "Labels and comments" | "Store" | "Help";

/** What a command answers; the frame prints it as text or JSON. */
export interface Answer {
  /** For people and agents, without a newline at the end. */
  readonly text: string | (() => string);
  /** For `--json`. Absent: a command that has no data beside its text. */
  readonly json?: unknown;
  /** The text is JSON lines already: printed as it is, with and without `--json`. */
  readonly isRaw?: boolean;
  /** The text has a form that a terminal's columns must not break. */
  readonly isDiagram?: boolean;
  /** Goes to stderr: hints, and what failed beside what was done. */
  readonly notes?: readonly string[];
  /** Default 0. */
  readonly exitCode?: number;
  /** More was found than is shown. */
  readonly truncated?: Truncation;
}

export interface Truncation {
  readonly shown: number;
  readonly total: number;
}

/** One call of a command with everything it may use. */
export interface Call {
  readonly context: BdContext;
  readonly author: Author;
  readonly home: WorkGraph;
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly isJson: boolean;
  readonly isBrief: boolean;
  /** Time of the call, ms. */
  readonly now: number;
  readonly paint: Paint;
  /** Columns to keep text within; undefined when nobody looks. */
  readonly columns: number | undefined;
  /** Our own words, with the commands in them as the reader can run them. */
  readonly own: (text: string) => string;
  /**
   * Runs a change of one store as the caller. `about` tells the changes of one call apart (default: it is the only one of
   * that store): a call that is made again gets the first answer to each, which must be JSON, and goes on where it stopped.
   */
  transact<T>(graph: WorkGraph, work: (tx: GraphTransaction) => T, about?: string): Promise<T>;
  /** This call was made before and has made that change: what it looked at may be gone by that. */
  hasChanged(graph: WorkGraph, about?: string): boolean;
}

/** One call of a command that tells about the program alone. */
export interface AboutCall extends Pick<Call, "args" | "own" | "columns"> {
  readonly version: string;
}

/** A command works on a store (`run`), or tells about the program (`about`): then it needs neither store nor repository. */
export type BdCommand = CommandWords &
  (
    | { run(call: Call): Answer | Promise<Answer>; readonly about?: never }
    | { about(call: AboutCall): Answer; readonly run?: never }
  );

interface CommandWords {
  /** `create`, or `dep add` for a command of a group. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly group: CommandGroup;
  readonly summary: string;
  /** Arguments as help shows them: `<id>...`. */
  readonly args?: string;
  readonly flags?: readonly Flag[];
  readonly examples?: readonly string[];
  /** A further section of help: a title, and a line each. */
  readonly section?: { readonly title: string; readonly lines: readonly string[] };
  /** Changes records, settings or files of the store. Default false. */
  readonly writes?: boolean;
  /** Flags with which a command that reads changes something. */
  readonly writesWith?: readonly string[];
}
