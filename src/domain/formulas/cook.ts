import { adviseWith } from "./advice.ts";
import { attachHooks } from "./bond-points.ts";
import { type Compilation, type FormulaSubject, MAX_DEPTH } from "./compilation.ts";
import { composeFlow } from "./compose.ts";
import { withoutFalse } from "./conditions.ts";
import { convoySteps } from "./convoy.ts";
import { type Draft, draftOf, everyDraft } from "./draft.ts";
import { expandComposed, expanded, expandInline } from "./expansion.ts";
import { fillDraft } from "./fill-draft.ts";
import { fillText, placeholdersIn } from "./fill-text.ts";
import { type Formula, formulaType } from "./formula.ts";
import type { FormulaDocument } from "./formula-document.ts";
import { formulaError, type FormulaProblem, type Tell, teller } from "./formula-problem.ts";
import { expandLoops } from "./loops.ts";
import { protoStep } from "./proto-step.ts";
import { freeze, type Protomolecule } from "./protomolecule.ts";
import { orderSteps } from "./step-order.ts";
import { checkStep } from "./step-rules.ts";
import { resolveVariables } from "./variables.ts";
import { didYouMean } from "../text/suggestion.ts";

export interface CookInput {
  readonly values: Readonly<Record<string, string>>;
  readonly subject?: FormulaSubject;
  /** Check the formula by itself: variables that are required may be missing. */
  readonly lenient?: boolean;
}

export interface Cooked {
  /** Undefined when there is an error. */
  readonly protomolecule?: Protomolecule;
  readonly problems: readonly FormulaProblem[];
}

/**
 * Compiles a formula: loops, branches, advice, templates, aspects and hooks become plain steps, conditions choose among
 * them, values are filled in, and the result is checked, frozen and named by its content. Pure; never throws. The same
 * formula and values always give the same name.
 */
export function cook(formula: Formula, input: CookInput): Cooked {
  const problems: FormulaProblem[] = [];
  const tell = teller(problems);
  const warn = teller(problems, "Warning");
  const { document } = formula;
  const placeOf: Compilation["placeOf"] = (part, otherwise) => formula.origins.get(part) ?? otherwise;
  const options = { lenient: input.lenient ?? false, tell, warn, placeOf };
  const at: Compilation = {
    ...options,
    values: resolveVariables(document, input.values, options),
    part: (name) => formula.parts.get(name),
    subject: input.subject ?? {},
    names: [...formula.parts.keys()],
  };
  const drafts = draftsOf(document, at, 0);
  for (const step of everyDraft(drafts)) checkStep(step, at);
  const ordered = orderSteps(drafts, tell);
  const ids = new Set((ordered ?? []).map(({ step }) => step.id));
  const steps = (ordered ?? []).map((placed) => protoStep(placed, ids, tell));
  remarkNames(drafts, at, warn);
  if (steps.length === 0 && ordered !== undefined) tellEmpty(document, tell, problems);
  if (ordered === undefined || problems.some((problem) => problem.severity === "Error")) return { problems };
  return { problems, protomolecule: freeze({ ...head(document), steps }) };
}

/** As `cook`, for who can go on only with a result. Throws the first error as a TownError. */
export function cooked(formula: Formula, input: CookInput): Protomolecule {
  const { protomolecule, problems } = cook(formula, input);
  if (protomolecule !== undefined) return protomolecule;
  throw formulaError(
    formula.name,
    problems.filter((problem) => problem.severity === "Error"),
  );
}

function head(document: FormulaDocument): Omit<Protomolecule, "id" | "steps"> {
  return {
    formula: document.formula,
    version: document.version ?? 1,
    description: document.description ?? "",
    phase: document.pour === true ? "liquid" : (document.phase ?? "liquid"),
    ...(document.metadata === undefined ? {} : { metadata: document.metadata }),
  };
}

/** The passes, in their order. */
function draftsOf(document: FormulaDocument, at: Compilation, depth: number): readonly Draft[] {
  const compose = document.compose ?? {};
  const name = document.formula;
  let steps = expandLoops(ownSteps(document, at), at);
  steps = composeFlow(steps, compose, name, at);
  if (formulaType(document) !== "aspect") steps = adviseWith(steps, document, at);
  steps = expandInline(steps, at);
  steps = expandComposed(steps, compose, name, at);
  for (const aspect of compose.aspects ?? []) {
    const by = at.part(aspect);
    const place = { formula: name, path: ["compose"] };
    if (by === undefined)
      at.tell(place, "aspects", "FormulaUnknown", `there is no formula '${aspect}'`, didYouMean(aspect, at.names));
    else steps = adviseWith(steps, by, at);
  }
  steps = attachHooks(steps, compose, name, at, (attached, vars) => {
    if (depth >= MAX_DEPTH) {
      at.tell(
        { formula: attached.formula, path: ["compose"] },
        "hooks",
        "HooksTooDeep",
        `hooks attach formulas more than ${MAX_DEPTH} deep`,
      );
      return [];
    }
    const filled = Object.fromEntries(Object.entries(vars).map(([key, value]) => [key, fillText(value, at.values)]));
    return draftsOf(attached, { ...at, values: resolveVariables(attached, filled, at) }, depth + 1);
  });
  steps = withoutFalse(steps, at);
  return steps.map((step) => fillDraft(step, (text) => fillText(text, at.values)));
}

function ownSteps(document: FormulaDocument, at: Compilation): readonly Draft[] {
  const type = formulaType(document);
  const steps = (document.steps ?? []).map((step, index) =>
    draftOf(step, at.placeOf(step, { formula: document.formula, path: ["steps", index] })),
  );
  if (type === "convoy") return [...convoySteps(document, at), ...steps];
  if (type !== "expansion") return steps;
  // Poured by itself, a template is about the whole bead.
  const place = { formula: document.formula, path: [] };
  const target = draftOf({ id: "main", title: at.values.get("title") ?? document.formula }, place);
  return expanded(target, { with: document.formula, vars: {}, place, field: "template" }, at).steps;
}

function tellEmpty(document: FormulaDocument, tell: Tell, problems: readonly FormulaProblem[]): void {
  const type = formulaType(document);
  if (type === "aspect" || problems.some((problem) => problem.severity === "Error")) return;
  const field = type === "convoy" ? "legs" : type === "expansion" ? "template" : "steps";
  const place = { formula: document.formula, path: [] };
  const isStated = (document[field] ?? []).length > 0;
  tell(
    place,
    field,
    isStated ? "NothingLeft" : "FieldMissing",
    isStated ? "no step is left: every condition is false" : `\`${field}\` must have at least 1 item`,
  );
}

/** A `{{name}}` that is nearly a variable's name is told: it would reach the agent as it is. */
function remarkNames(drafts: readonly Draft[], at: Compilation, warn: Tell): void {
  const declared = [...at.values.keys()];
  const told = new Set<string>();
  for (const step of everyDraft(drafts)) {
    for (const field of ["title", "description", "acceptance", "notes"] as const) {
      for (const name of placeholdersIn(step[field] ?? "")) {
        const hint = declared.includes(name) || told.has(name) ? undefined : didYouMean(name, declared);
        if (hint === undefined) continue;
        told.add(name);
        warn(step.at, field, "VariableUnknown", `\`{{${name}}}\` is no variable of this formula`, hint);
      }
    }
  }
}
