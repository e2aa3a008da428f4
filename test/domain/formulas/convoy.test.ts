import { describe, expect, test } from "vitest";
import { cooked } from "../../../src/domain/formulas/cook.ts";
import { renderTemplate } from "../../../src/domain/formulas/go-template.ts";
import { library, shapeOf, told } from "./cooking.ts";

const REVIEW = {
  formula: "look",
  type: "convoy",
  inputs: { pr: { type: "number" }, files: {} },
  prompts: {
    base: "# {{.leg.title}} of {{.formula}}\n{{if .pr}}PR {{.pr}}{{else}}files {{.files}}{{end}}\n{{.leg.focus}} to {{.output_path}}",
  },
  output: { directory: "out/{{.pr}}", leg_pattern: "{{.leg.id}}.md", synthesis: "all.md" },
  legs: [
    { id: "safety", title: "Safety", focus: "Holes", agent: "api/polecats/toast" },
    { id: "speed", title: "Speed", focus: "Waits", review_only: true },
    { id: "style", title: "Style", focus: "Names" },
  ],
  synthesis: {
    title: "Put together",
    description: "{{range .legs}}- {{.id}}\n{{end}}",
    depends_on: ["safety", "speed"],
  },
  presets: { gate: { description: "Quick", legs: ["speed"] } },
};

describe("convoys", () => {
  test("given a convoy, when cooked, then legs stand side by side and the synthesis needs those it names", () => {
    const formula = library(REVIEW);
    expect(shapeOf(formula, { pr: "7" })).toEqual(["safety: ", "speed: ", "style: ", "synthesis: safety speed"]);
    const { steps } = cooked(formula, { values: { pr: "7" } });
    expect(steps[0]).toMatchObject({
      title: "Safety",
      description: "# Safety of look\nPR 7\nHoles to out/7/safety.md",
      assignee: "api/polecats/toast",
      parallel: true,
    });
    expect(steps[1]?.labels).toEqual(["review-only"]);
    expect(steps[3]?.description).toBe("- safety\n- speed\n- style");
  });

  test("given a preset, when cooked, then only its legs are there; given another name, it is told", () => {
    expect(shapeOf(library(REVIEW), { preset: "gate" })).toEqual(["speed: ", "synthesis: speed"]);
    expect(told(library(REVIEW), { preset: "gaet" })).toEqual(["Error PresetUnknown presets Did you mean `gate`?"]);
  });

  test("given legs that are not there, when cooked, then each is told", () => {
    const formula = library({
      ...REVIEW,
      synthesis: { title: "S", depends_on: ["safty"] },
      presets: { gate: { legs: ["sped"] } },
    });
    expect(told(formula)).toEqual([
      "Error LegUnknown presets.gate.legs Did you mean `speed`?",
      "Error LegUnknown synthesis.depends_on Did you mean `safety`?",
    ]);
  });

  test("given no prompt, when cooked, then a leg says what it states itself", () => {
    const formula = library({ formula: "c", legs: [{ id: "a", title: "A", description: "Do.", focus: "This" }] });
    expect(cooked(formula, { values: {} }).steps[0]?.description).toBe("Do.\n\nFocus: This");
  });

  test("given a prompt that cannot be read, when cooked, then the line is told", () => {
    const formula = library({
      ...REVIEW,
      legs: [REVIEW.legs[0]],
      synthesis: undefined,
      presets: undefined,
      prompts: { base: "\n{{if .a}}" },
    });
    expect(told(formula)).toEqual(["Error TemplateInvalid prompts.base"]);
  });
});

describe("templates", () => {
  const data = { a: { b: "x" }, none: "", list: ["1", "2"], legs: [{ id: "l" }], name: "n" };
  test.each([
    ["{{.a.b}}-{{ .a.b }}", "x-x"],
    ["{{.a.missing}}|{{.missing.b}}", "|"],
    ["{{if .none}}yes{{else}}no{{end}}", "no"],
    ["{{if .a}}{{if .list}}both{{end}}{{end}}", "both"],
    ["{{range .list}}<{{.}}{{$.name}}>{{end}}", "<1n><2n>"],
    ["{{range .legs}}{{.id}}{{else}}none{{end}}", "l"],
    ["{{range .none}}x{{else}}none{{end}}", "none"],
    ["a \n{{- .name -}}\n b", "anb"],
    ["{{/* said\n nowhere */}}x", "x"],
    ["{{variable}} {single}", "{{variable}} {single}"],
  ])("given %j, when rendered, then it is %j", (template, text) => {
    expect(renderTemplate(template, data)).toEqual({ text });
  });

  test.each([
    ["{{if .a}}", "line 1: {{if}} has no {{end}}"],
    ["x\n{{end}}", "line 2: {{end}} is not understood"],
    ["{{if eq .a .b}}{{end}}", "line 1: {{if eq .a .b}} is not understood"],
    ["{{if .a}}{{else}}{{else}}{{end}}", "line 1: {{else}} is not understood"],
  ])("given %j, when rendered, then the fault is told: %s", (template, fault) => {
    expect(renderTemplate(template, data)).toEqual({ fault });
  });
});
