import { z } from "zod";
import { stepDocument, stepId } from "./step-document.ts";

const text = z.string();
const texts = z.array(text);

/** A text alone is short for its default. */
export const variableDocument = z.preprocess(
  (value) => (typeof value === "string" ? { default: value } : value),
  z
    .strictObject({
      description: text.optional(),
      default: text.optional(),
      required: z.boolean().optional(),
      enum: z.array(text).min(1).optional(),
      pattern: text.optional(),
      type: z.enum(["string", "text", "number", "int", "integer", "bool", "boolean"]).optional(),
    })
    .refine((variable) => variable.required !== true || variable.default === undefined, {
      error: "must not be required and have a default",
    }),
);

const scalar = z.union([text, z.number(), z.boolean()]).transform(String);

const inputDocument = z.strictObject({
  description: text.optional(),
  type: z.enum(["string", "text", "number", "int", "integer", "bool", "boolean"]).optional(),
  required: z.boolean().optional(),
  required_unless: texts.optional(),
  default: scalar.optional(),
});

const legDocument = z.strictObject({
  id: stepId,
  title: text,
  focus: text.optional(),
  description: text.optional(),
  agent: text.optional(),
  review_only: z.boolean().optional(),
});

const oneOrMore = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (value === undefined || Array.isArray(value) ? value : [value]), z.array(item).optional());

const adviceDocument = z.strictObject({
  target: text.optional(),
  before: oneOrMore(stepDocument),
  after: oneOrMore(stepDocument),
  around: z.strictObject({ before: oneOrMore(stepDocument), after: oneOrMore(stepDocument) }).optional(),
});

const pointcutDocument = z
  .strictObject({ glob: text.optional(), type: text.optional(), label: text.optional() })
  .refine((cut) => [cut.glob, cut.type, cut.label].some((part) => part !== undefined), {
    error: "must have one of `glob`, `type` and `label`",
  });

const variables = z.record(text, text);

const composeDocument = z.strictObject({
  bond_points: z
    .array(
      z
        .strictObject({
          id: stepId,
          description: text.optional(),
          after_step: text.optional(),
          before_step: text.optional(),
          parallel: z.boolean().optional(),
        })
        .refine((point) => (point.after_step === undefined) !== (point.before_step === undefined), {
          error: "must have one of `after_step` and `before_step`",
        }),
    )
    .optional(),
  hooks: z
    .array(
      z.strictObject({
        trigger: text.regex(/^(label|type|priority):\S+$/, "must be 'label:NAME', 'type:NAME' or 'priority:0' to '4'"),
        attach: text,
        at: text,
        vars: variables.optional(),
      }),
    )
    .optional(),
  expand: z.array(z.strictObject({ target: text, with: text, vars: variables.optional() })).optional(),
  map: z.array(z.strictObject({ select: text, with: text, vars: variables.optional() })).optional(),
  branch: z.array(z.strictObject({ from: text, steps: texts.min(1), join: text })).optional(),
  gate: z.array(z.strictObject({ before: text, condition: text })).optional(),
  aspects: texts.optional(),
});

/**
 * A formula file as it states itself: the union of what Gas Town, Gas City and Beads read. A key that is not here is
 * none of the language. Defaults are given later, so that what extends it can tell "not said" from "said".
 */
export const formulaDocument = z.strictObject({
  formula: text.min(1),
  description: text.optional(),
  /** Revision of the document, nothing else: what compiler a file needs is said by `contract` and `requires`. */
  version: z.int().min(1).optional(),
  type: z.enum(["workflow", "expansion", "aspect", "convoy"]).optional(),
  extends: texts.optional(),
  vars: z.record(text, variableDocument).optional(),
  steps: z.array(stepDocument).optional(),
  template: z.array(stepDocument).optional(),
  compose: composeDocument.optional(),
  advice: z.array(adviceDocument).optional(),
  pointcuts: z.array(pointcutDocument).optional(),
  phase: z.enum(["liquid", "vapor"]).optional(),
  pour: z.boolean().optional(),
  agent: text.optional(),
  review_only: z.boolean().optional(),
  inputs: z.record(text, inputDocument).optional(),
  prompts: z.record(text, text).optional(),
  output: z
    .strictObject({ directory: text.optional(), leg_pattern: text.optional(), synthesis: text.optional() })
    .optional(),
  legs: z.array(legDocument).optional(),
  synthesis: z.strictObject({ title: text, description: text.optional(), depends_on: texts.optional() }).optional(),
  presets: z.record(text, z.strictObject({ description: text.optional(), legs: texts.min(1) })).optional(),
  squash: z
    .strictObject({ trigger: text.optional(), template_type: text.optional(), include_metrics: z.boolean().optional() })
    .optional(),
  aspects: z.array(legDocument).optional(),
  contract: text.optional(),
  requires: z.strictObject({ formula_compiler: text.optional() }).optional(),
  catalog: z.strictObject({ name: text.optional(), description: text.optional() }).optional(),
  metadata: z.record(text, z.unknown()).optional(),
  target_required: z.boolean().optional(),
  internal: z.boolean().optional(),
  mode: text.optional(),
});

export type FormulaDocument = z.output<typeof formulaDocument>;
export type AdviceDocument = z.output<typeof adviceDocument>;
export type PointcutDocument = z.output<typeof pointcutDocument>;
export type InputDocument = z.output<typeof inputDocument>;
export type VariableDocument = z.output<typeof variableDocument>;
export type ComposeDocument = z.output<typeof composeDocument>;
