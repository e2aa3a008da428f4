import { parse, TomlError } from "smol-toml";
import { z } from "zod";
import { type Formula, orderedSteps } from "../domain/formulas/formula.ts";
import { messageOf } from "../errors/town-error.ts";

export interface FormulaProblem {
  readonly path: string;
  /** From 1; 0: the whole file. */
  readonly line: number;
  readonly message: string;
}

const variable = z.union([
  z.string(),
  z.object({ description: z.string().optional(), default: z.string().optional(), required: z.boolean().optional() }),
]);

const step = z.object({
  id: z.string().min(1),
  title: z.string().min(1),
  description: z.string().default(""),
  needs: z.array(z.string()).default([]),
  acceptance: z.string().optional(),
});

const formulaFile = z.object({
  formula: z.string().min(1),
  description: z.string().default(""),
  version: z.int().min(1).default(1),
  vars: z.record(z.string(), variable).default({}),
  steps: z.array(step).min(1),
});

const FILE_KEYS: ReadonlySet<string> = new Set(["formula", "description", "version", "vars", "steps"]);
const STEP_KEYS: ReadonlySet<string> = new Set(["id", "title", "description", "needs", "acceptance"]);

/**
 * A formula file as far as linear formulas go: steps with needs and acceptance, and variables. Keys that have no effect
 * are reported as problems beside the formula; a file that cannot be used gives problems alone.
 */
export function loadFormula(
  path: string,
  text: string,
): { readonly formula?: Formula; readonly problems: readonly FormulaProblem[] } {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    return {
      problems: [
        {
          path,
          line: error instanceof TomlError ? error.line : 0,
          message: messageOf(error).split("\n")[0] ?? "invalid TOML",
        },
      ],
    };
  }
  const parsed = formulaFile.safeParse(document);
  if (!parsed.success)
    return {
      problems: parsed.error.issues.map((issue) => ({
        path,
        line: lineOf(text, issue.path),
        message: `\`${issue.path.join(".")}\`: ${issue.message}`,
      })),
    };
  const { formula: name, steps, vars, description, version } = parsed.data;
  const formula: Formula = {
    name,
    description,
    version,
    source: path,
    variables: Object.fromEntries(
      Object.entries(vars).map(([key, value]) => [
        key,
        typeof value === "string" ? { default: value } : withoutUndefined(value),
      ]),
    ),
    steps: steps.map((each) => ({
      id: each.id,
      title: each.title,
      description: each.description.trim(),
      needs: each.needs,
      ...(each.acceptance === undefined ? {} : { acceptance: each.acceptance }),
    })),
  };
  const twice = steps.find((each, index) => steps.findIndex((other) => other.id === each.id) < index);
  if (twice !== undefined)
    return {
      problems: [
        {
          path,
          line: lineOf(text, ["steps", steps.lastIndexOf(twice), "id"]),
          message: `step '${twice.id}' is there twice`,
        },
      ],
    };
  try {
    orderedSteps(formula);
  } catch (error) {
    return { problems: [{ path, line: 0, message: messageOf(error) }] };
  }
  return { formula, problems: withoutEffect(path, text, document) };
}

function withoutEffect(path: string, text: string, document: unknown): readonly FormulaProblem[] {
  const top = document as Readonly<Record<string, unknown>>;
  const problem = (key: string, where: string): FormulaProblem => ({
    path,
    line: lineOf(text, [key]),
    message: `\`${where}${key}\` has no effect yet`,
  });
  const steps = Array.isArray(top["steps"]) ? (top["steps"] as readonly Readonly<Record<string, unknown>>[]) : [];
  return [
    ...Object.keys(top)
      .filter((key) => !FILE_KEYS.has(key))
      .map((key) => problem(key, "")),
    ...steps.flatMap((each) =>
      Object.keys(each)
        .filter((key) => !STEP_KEYS.has(key))
        .map((key) => problem(key, `steps.${String(each["id"])}.`)),
    ),
  ];
}

/** Line of the last key of a path, counted by `[[steps]]` headers for steps; 0 when it cannot be found. */
function lineOf(text: string, path: readonly PropertyKey[]): number {
  const lines = text.split("\n");
  const index = path[0] === "steps" && typeof path[1] === "number" ? path[1] : undefined;
  let from = 0;
  if (index !== undefined) {
    const headers = lines.flatMap((line, at) => (/^\s*\[\[steps\]\]/.test(line) ? [at] : []));
    from = headers[index] ?? 0;
  }
  const key = String(path.at(-1));
  const at = lines.findIndex(
    (line, number) => number >= from && new RegExp(`^\\s*(\\[+)?${key.replace(/[^\w-]/g, "")}\\b`).test(line),
  );
  return at < 0 ? from + (index === undefined ? 0 : 1) : at + 1;
}

function withoutUndefined<T extends Record<string, unknown>>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
