import { TownError } from "../../errors/town-error.ts";

/** A field of a formula file, by the name of its formula and the way to the field. */
export interface FormulaPlace {
  readonly formula: string;
  readonly path: readonly (string | number)[];
}

export interface FormulaProblem extends FormulaPlace {
  readonly severity: "Error" | "Warning";
  /** PascalCase word-group, unique to the situation. */
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
}

/** Takes a problem; the compiler goes on, so that one run tells all of them. */
export type Tell = (
  at: FormulaPlace,
  field: string | undefined,
  reason: string,
  message: string,
  hint?: string,
) => void;

/** Collects errors. */
export function teller(problems: FormulaProblem[], severity: FormulaProblem["severity"] = "Error"): Tell {
  return (at, field, reason, message, hint) => {
    problems.push({
      formula: at.formula,
      path: field === undefined ? at.path : [...at.path, field],
      severity,
      reason,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  };
}

/** What is told of a formula that cannot be cooked: the first error, and how many more there are. */
export function formulaError(name: string, problems: readonly FormulaProblem[]): TownError {
  const [first, ...more] = problems;
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`;
  return new TownError(
    first?.reason ?? "FormulaInvalid",
    `formula ${name}: ${first?.message ?? "it cannot be cooked"}${others}`,
    { hint: first?.hint ?? `town formula validate ${name}` },
  );
}
