import { didYouMean } from "../text/suggestion.ts";
import { type Compilation, MAX_DEPTH } from "./compilation.ts";
import { type Draft, draftOf, everyDraft, mapDrafts, renamed } from "./draft.ts";
import { fillBraces } from "./fill-text.ts";
import { fillDraft } from "./fill-draft.ts";
import type { ComposeDocument, FormulaDocument } from "./formula-document.ts";
import type { FormulaPlace, Tell } from "./formula-problem.ts";
import { globMatches } from "./glob.ts";
import { replaceSteps, type Replacement } from "./replacement.ts";
import { resolveVariables } from "./variables.ts";

interface Expansion {
  readonly with: string;
  readonly vars: Readonly<Record<string, string>>;
  /** Who asks for it: where to tell what is wrong with the asking. */
  readonly place: FormulaPlace;
  readonly field: string;
}

/** Steps with `expand` replaced by the templates that they name, and those of the templates, to a limit. */
export function expandInline(tree: readonly Draft[], at: Compilation): readonly Draft[] {
  let steps = tree;
  for (let depth = 0; ; depth += 1) {
    const replacements = new Map<Draft, Replacement>();
    for (const step of everyDraft(steps)) {
      if (step.expand === undefined) continue;
      if (depth >= MAX_DEPTH) {
        at.tell(step.at, "expand", "ExpansionTooDeep", `templates are more than ${MAX_DEPTH} deep`);
        return steps;
      }
      const by = { with: step.expand, vars: step.expand_vars ?? {}, place: step.at, field: "expand" };
      replacements.set(step, expanded(step, by, at));
    }
    if (replacements.size === 0) return steps;
    steps = replaceSteps(steps, replacements);
  }
}

/** `compose.expand` and `compose.map`: steps replaced by templates, chosen by id or by glob. */
export function expandComposed(
  tree: readonly Draft[],
  compose: ComposeDocument,
  formula: string,
  at: Compilation,
): readonly Draft[] {
  let steps = tree;
  const rules = [
    ...(compose.expand ?? []).map((rule, index) => ({
      ...rule,
      select: rule.target,
      from: "expand",
      place: at.placeOf(rule, { formula, path: ["compose", "expand", index] }),
    })),
    ...(compose.map ?? []).map((rule, index) => ({
      ...rule,
      from: "map",
      place: at.placeOf(rule, { formula, path: ["compose", "map", index] }),
    })),
  ];
  for (const rule of rules) {
    const { place } = rule;
    const chosen = [...everyDraft(steps)].filter((step) =>
      rule.from === "expand" ? step.id === rule.select : globMatches(rule.select, step.id),
    );
    if (chosen.length === 0) {
      const ids = [...everyDraft(steps)].map((step) => step.id);
      const field = rule.from === "expand" ? "target" : "select";
      at.tell(place, field, "StepUnknown", `there is no step '${rule.select}'`, didYouMean(rule.select, ids));
    }
    const by = { with: rule.with, vars: rule.vars ?? {}, place, field: "with" };
    steps = replaceSteps(steps, new Map(chosen.map((step) => [step, expanded(step, by, at)])));
    steps = expandInline(steps, at);
  }
  return steps;
}

/** What a template makes of one step: ids, titles and texts with `{target…}` and the template's variables filled in. */
export function expanded(target: Draft, by: Expansion, at: Compilation): Replacement {
  const keep: Replacement = { steps: [{ ...withoutExpand(target), needs: [] }], exits: [target.id] };
  const template = templateFor(by, at);
  if (template === undefined) return keep;
  const lost = (["children", "gate", "check", "retry", "on_complete", "waits_for"] as const).filter((key) =>
    key === "children" ? target.children.length > 0 : target[key] !== undefined,
  );
  if (lost.length > 0) {
    const names = lost.map((key) => `\`${key}\``).join(", ");
    at.tell(target.at, undefined, "ExpandedStepHasMore", `step '${target.id}' is expanded and must not have ${names}`);
    return keep;
  }
  const names = new Map(valuesFor(template, by, at));
  names.set("target", target.id).set("target.id", target.id).set("target.title", target.title);
  names.set("target.description", target.description ?? "");
  const drafts = (template.template ?? []).map((step, index) =>
    fillDraft(draftOf(step, at.placeOf(step, { formula: template.formula, path: ["template", index] })), (text) =>
      fillBraces(text, names),
    ),
  );
  const own = new Set((template.template ?? []).map((step) => step.id).filter((id) => !/\{target(?:\.id)?\}/.test(id)));
  const placed = renamed(drafts, (id) => (own.has(id) ? `${target.id}.${id}` : id));
  return { steps: inheriting(placed, target) };
}

/** What the step says of itself and a template cannot know goes on to each of its steps. */
function inheriting(steps: readonly Draft[], target: Draft): readonly Draft[] {
  const passed = mapDrafts(steps, (step) => ({
    ...(target.priority === undefined ? {} : { priority: target.priority }),
    ...(target.assignee === undefined ? {} : { assignee: target.assignee }),
    ...step,
    labels: [...new Set([...target.labels, ...step.labels])],
    conditions: [...target.conditions, ...step.conditions],
    ...(target.metadata === undefined ? {} : { metadata: { ...target.metadata, ...step.metadata } }),
  }));
  if (target.acceptance === undefined) return passed;
  const needed = new Set(passed.flatMap((step) => step.needs));
  return passed.map((step) =>
    needed.has(step.id) || step.acceptance !== undefined ? step : { ...step, acceptance: target.acceptance },
  );
}

function templateFor(by: Expansion, at: Compilation): FormulaDocument | undefined {
  const found = at.part(by.with);
  if (found === undefined) {
    at.tell(by.place, by.field, "FormulaUnknown", `there is no formula '${by.with}'`, didYouMean(by.with, at.names));
    return undefined;
  }
  if ((found.template ?? []).length > 0) return found;
  at.tell(by.place, by.field, "NoTemplate", `formula '${by.with}' has no template, so it cannot expand a step`);
  return undefined;
}

function valuesFor(template: FormulaDocument, by: Expansion, at: Compilation): readonly (readonly [string, string])[] {
  const tellHere: Tell = (_place, _field, reason, message, hint) => {
    at.tell(by.place, by.field, reason, `${by.with}: ${message}`, hint?.replace("--var ", "vars "));
  };
  const values = resolveVariables(template, by.vars, { ...at, tell: tellHere });
  return [...values].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
}

function withoutExpand(step: Draft): Draft {
  const { expand: _expand, expand_vars: _vars, ...rest } = step;
  return rest;
}
