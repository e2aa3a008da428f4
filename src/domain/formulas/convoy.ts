import { didYouMean } from "../text/suggestion.ts";
import type { Compilation } from "./compilation.ts";
import { type Draft, draftOf } from "./draft.ts";
import { fillText } from "./fill-text.ts";
import type { FormulaDocument } from "./formula-document.ts";
import { PRESET } from "./variables.ts";
import { renderTemplate, type TemplateValue } from "./go-template.ts";

type Leg = NonNullable<FormulaDocument["legs"]>[number];

/** A convoy as steps: its legs side by side, and a synthesis that needs all of them, or those that it names. */
export function convoySteps(document: FormulaDocument, at: Compilation): readonly Draft[] {
  const legs = chosenLegs(document, at);
  const known = legs.map(({ leg }) => leg.id);
  const all = (document.legs ?? []).map((leg) => leg.id);
  const data = (leg?: Leg): TemplateValue =>
    dataFor(
      document,
      leg,
      legs.map((each) => each.leg),
      at,
    );
  const steps = legs.map(({ leg, index }) => {
    const place = at.placeOf(leg, { formula: document.formula, path: ["legs", index] });
    const prompt = document.prompts?.["base"];
    const description = prompt === undefined ? ownText(leg) : rendered(prompt, "base", data(leg), document, at);
    const made = draftOf({ id: leg.id, title: leg.title, description, parallel: true }, place);
    return {
      ...made,
      ...(leg.agent === undefined && document.agent === undefined ? {} : { assignee: leg.agent ?? document.agent }),
      ...(leg.review_only === true || document.review_only === true ? { labels: ["review-only"] } : {}),
    };
  });
  const { synthesis } = document;
  if (synthesis === undefined) return steps;
  const place = at.placeOf(synthesis, { formula: document.formula, path: ["synthesis"] });
  for (const id of synthesis.depends_on ?? [])
    if (!all.includes(id)) at.tell(place, "depends_on", "LegUnknown", `there is no leg '${id}'`, didYouMean(id, all));
  const needs = (synthesis.depends_on ?? known).filter((id) => known.includes(id));
  const description = rendered(synthesis.description ?? "", "synthesis", data(), document, at);
  return [...steps, draftOf({ id: "synthesis", title: synthesis.title, description, needs }, place)];
}

function ownText(leg: Leg): string {
  return [leg.description, leg.focus === undefined ? undefined : `Focus: ${leg.focus}`]
    .filter((part) => part !== undefined)
    .join("\n\n");
}

function chosenLegs(
  document: FormulaDocument,
  at: Compilation,
): readonly { readonly leg: Leg; readonly index: number }[] {
  const legs = (document.legs ?? []).map((leg, index) => ({ leg, index }));
  const ids = legs.map(({ leg }) => leg.id);
  const presets = document.presets ?? {};
  for (const [name, preset] of Object.entries(presets))
    for (const id of preset.legs)
      if (!ids.includes(id)) {
        const place = at.placeOf(preset, { formula: document.formula, path: ["presets", name] });
        at.tell(place, "legs", "LegUnknown", `there is no leg '${id}'`, didYouMean(id, ids));
      }
  const wanted = at.values.get(PRESET);
  if (wanted === undefined || wanted === "") return legs;
  const preset = Object.hasOwn(presets, wanted) ? presets[wanted] : undefined;
  if (preset === undefined) {
    const hint = didYouMean(wanted, Object.keys(presets));
    const place = { formula: document.formula, path: ["presets"] };
    at.tell(place, undefined, "PresetUnknown", `there is no preset '${wanted}'`, hint);
    return legs;
  }
  return legs.filter(({ leg }) => preset.legs.includes(leg.id));
}

/** What a prompt can name: the leg, every input by its name, where results go, and the formula. */
function dataFor(
  document: FormulaDocument,
  leg: Leg | undefined,
  legs: readonly Leg[],
  at: Compilation,
): TemplateValue {
  const inputs = Object.fromEntries(
    [...at.values].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
  const output = Object.fromEntries(
    Object.entries(document.output ?? {}).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, placedPath(value, leg, at)] as const],
    ),
  );
  const legData = (each: Leg): TemplateValue => ({
    id: each.id,
    title: each.title,
    focus: each.focus ?? "",
    description: each.description ?? "",
  });
  const data: Record<string, TemplateValue> = {
    ...inputs,
    inputs,
    output,
    formula: document.formula,
    legs: legs.map(legData),
  };
  if (leg !== undefined) data["leg"] = legData(leg);
  const { directory, leg_pattern: file } = output;
  if (directory !== undefined && file !== undefined && leg !== undefined) data["output_path"] = `${directory}/${file}`;
  else if (directory !== undefined && output["synthesis"] !== undefined)
    data["output_path"] = `${directory}/${output["synthesis"]}`;
  return data;
}

/** A path of `output` with its `{leg.id}` or `{{.leg.id}}` and inputs filled in. */
function placedPath(path: string, leg: Leg | undefined, at: Compilation): string {
  const data: Record<string, TemplateValue> = Object.fromEntries(
    [...at.values].flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
  if (leg !== undefined) data["leg"] = { id: leg.id, title: leg.title };
  const done = renderTemplate(path.replaceAll("{leg.id}", leg?.id ?? "{leg.id}"), data);
  return fillText("text" in done ? done.text : path, at.values);
}

function rendered(
  template: string,
  name: string,
  data: TemplateValue,
  document: FormulaDocument,
  at: Compilation,
): string {
  const done = renderTemplate(template, data);
  if ("text" in done) return done.text;
  const path = name === "synthesis" ? ["synthesis", "description"] : ["prompts", name];
  at.tell(
    { formula: document.formula, path },
    undefined,
    "TemplateInvalid",
    `the template cannot be read: ${done.fault}`,
  );
  return template;
}
