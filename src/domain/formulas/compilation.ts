import type { FormulaDocument } from "./formula-document.ts";
import type { Values } from "./fill-text.ts";
import type { FormulaPlace, Tell } from "./formula-problem.ts";

/** The bead that a formula is poured for. */
export interface FormulaSubject {
  readonly labels?: readonly string[];
  readonly type?: string;
  readonly priority?: number;
}

/** What every pass of the compiler is given. */
export interface Compilation {
  readonly tell: Tell;
  readonly warn: Tell;
  readonly values: Values;
  /** A check of the file by itself: what depends on a missing value is taken to be there once. */
  readonly lenient: boolean;
  /** A formula that this one refers to, with what it extends merged in. */
  readonly part: (name: string) => FormulaDocument | undefined;
  /** Where a part of a formula is written; `otherwise` for what has not been joined with anything. */
  readonly placeOf: (part: object, otherwise: FormulaPlace) => FormulaPlace;
  /** What the plan is for, as far as hooks of `compose` ask. */
  readonly subject: FormulaSubject;
  /** Names of all formulas, for suggestions. */
  readonly names: readonly string[];
}

/** Templates in templates, attached formulas in attached formulas. */
export const MAX_DEPTH = 5;

/** Steps of one formula after all is expanded. The largest known formula has 1,025. */
export const MAX_STEPS = 10_000;

/** Turns of one loop. */
export const MAX_TURNS = 1000;
