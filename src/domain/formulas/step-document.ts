import { z } from "zod";

const text = z.string();
const texts = z.array(text);
const duration = text.regex(/^(\d+(ms|s|m|h|d))+$/, "must be a duration such as '30s' or '2h'");
const attempts = z.int().min(1).max(100);

/** Ids may hold `{target}`, which an expansion fills in. */
export const stepId = text.regex(/^[A-Za-z0-9_{][\w.:/{}-]*$/, "must be of letters, digits and . _ - : /");

const gateDocument = z.strictObject({
  type: z.enum(["gh:run", "gh:pr", "timer", "human", "mail", "bead", "exec", "conditional"]),
  id: text.optional(),
  await_id: text.optional(),
  condition: text.optional(),
  timeout: duration.optional(),
});

const checkDocument = z.strictObject({
  max_attempts: attempts.optional(),
  check: z.strictObject({ mode: z.literal("exec").optional(), path: text.min(1), timeout: duration.optional() }),
});

const loopDocument = z.strictObject({
  count: z.int().min(0).optional(),
  until: text.optional(),
  max: z.int().min(1).optional(),
  range: text.optional(),
  var: text.regex(/^[A-Za-z_]\w*$/, "must be a name").optional(),
  get body() {
    return z.array(stepDocument);
  },
});

/** One step as a file states it. Types of gates: bd's, and `bead` and `exec`. */
export const stepDocument = z.strictObject({
  id: stepId,
  title: text.min(1).optional(),
  description: text.optional(),
  description_file: text.optional(),
  notes: text.optional(),
  type: text.optional(),
  priority: z.int().min(0).max(4).optional(),
  labels: texts.optional(),
  tags: texts.optional(),
  metadata: z.record(text, z.unknown()).optional(),
  depends_on: texts.optional(),
  needs: texts.optional(),
  waits_for: text
    .regex(
      /^(all-children|any-children|children-of\([^()\s]+\))$/,
      "must be 'all-children', 'any-children' or 'children-of(STEP)'",
    )
    .optional(),
  assignee: text.optional(),
  acceptance: text.optional(),
  expand: text.optional(),
  expand_vars: z.record(text, text).optional(),
  condition: text.optional(),
  get children() {
    return z.array(stepDocument).optional();
  },
  parallel: z.boolean().optional(),
  interactive: z.boolean().optional(),
  gate: gateDocument.optional(),
  loop: loopDocument.optional(),
  on_complete: z
    .strictObject({
      for_each: text,
      bond: text,
      vars: z.record(text, text).optional(),
      parallel: z.boolean().optional(),
      sequential: z.boolean().optional(),
    })
    .optional(),
  ralph: checkDocument.optional(),
  check: checkDocument.optional(),
  retry: z
    .strictObject({ max_attempts: attempts, on_exhausted: z.enum(["hard_fail", "soft_fail"]).optional() })
    .optional(),
  timeout: duration.optional(),
  drain: z.record(text, z.unknown()).optional(),
});

export type StepDocument = z.output<typeof stepDocument>;
export type GateDocument = z.output<typeof gateDocument>;
export type CheckDocument = z.output<typeof checkDocument>;
