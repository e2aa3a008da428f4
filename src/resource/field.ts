import { z } from "zod";

/** A duration as Flux writes it: `90s`, `10m`, `1h30m`, `250ms`. */
export const duration = () =>
  z.string().regex(/^([0-9]+(ms|s|m|h))+$/, { error: "must be a duration such as '90s', '10m' or '1h30m'" });

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration field. Text that the schema would refuse gives 0. */
export function durationMs(text: string): number {
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|s|m|h)/g))
    total += Number(digits) * (UNIT_MS[unit ?? ""] ?? 0);
  return total;
}

/** A byte quantity as Kubernetes writes it: `512Mi`, `2Gi`. */
export const byteQuantity = () =>
  z.string().regex(/^[0-9]+(Ki|Mi|Gi|Ti)?$/, { error: "must be a quantity such as '512Mi' or '2Gi'" });

const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 };

export function quantityBytes(text: string): number {
  const [, digits, unit] = /^([0-9]+)(Ki|Mi|Gi|Ti)?$/.exec(text) ?? [];
  return Number(digits ?? 0) * (UNIT_BYTES[unit ?? ""] ?? 1);
}

/** RFC 1123 label: the form of names that end up in branch and session names. */
export const label = () =>
  z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, {
    error:
      "must be lower-case letters, digits and '-', at most 63 characters, starting and ending with a letter or digit",
  });

/** One environment entry for agents: exactly one of `value` and `valueFrom`, and in that exactly one source. */
export const environmentEntry = () =>
  z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: "must be a shell variable name" })
        .describe("Name of the variable."),
      value: z.string().optional().describe("Literal value; never a secret."),
      valueFrom: z
        .strictObject({
          file: z.string().optional().describe("Path of a file whose text, without the final newline, is the value."),
          command: z.array(z.string()).min(1).optional().describe("Program and arguments whose output is the value."),
          secretRef: z
            .strictObject({ name: z.string().min(1).describe("Name of the secret; `town secret set NAME` keeps one.") })
            .optional()
            .describe("A secret that the town keeps on this machine, outside of git."),
        })
        .refine((source) => Object.values(source).filter((value) => value !== undefined).length === 1, {
          error: "must have exactly one of `file`, `command` and `secretRef`",
        })
        .optional()
        .describe("Where the value is taken from at session start; it is kept out of manifests, arguments and logs."),
    })
    .refine((entry) => (entry.value === undefined) !== (entry.valueFrom === undefined), {
      error: "must have exactly one of `value` and `valueFrom`",
    });

/** Tokens and money used. */
export const usage = () =>
  z.object({
    input: z.int().optional().describe("Tokens sent that no cache held."),
    output: z.int().optional().describe("Tokens received."),
    cacheRead: z.int().optional().describe("Tokens read from the provider's cache."),
    cacheWrite: z.int().optional().describe("Tokens written to the provider's cache."),
    total: z.int().optional().describe("Tokens of every sort."),
    costUSD: z.number().optional().describe("Dollars."),
  });

/** Work, by what keeps it from being done. Epics, steps and mail are no work of their own. */
export const workTotals = () =>
  z.object({
    ready: z.int().describe("Can be started now."),
    working: z.int().describe("On a hook."),
    blocked: z.int().describe("Wait for other work."),
    deferred: z.int().describe("Put off."),
    merging: z.int().describe("In the merge queue."),
  });

/** What was used, by model. */
export const usageOfModels = () =>
  z
    .array(usage().extend({ model: z.string().describe("Model, as its program names it.") }))
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["model"] });

/** The most that may be used; at least one of the two. */
export const budget = () =>
  z
    .strictObject({
      costUSD: z.number().positive().optional().describe("Dollars."),
      tokens: z.int().positive().optional().describe("Tokens of every sort, those from caches included."),
    })
    .refine(({ costUSD, tokens }) => costUSD !== undefined || tokens !== undefined, {
      error: "must have costUSD or tokens",
    });

/** Fields every status has. */
export const statusBase = {
  observedGeneration: z.int().optional().describe("Generation of the spec that this status is about."),
  conditions: z
    .array(
      z.object({
        type: z.string().describe("What is stated, e.g. Ready."),
        status: z.enum(["True", "False", "Unknown"]).describe("Whether it holds."),
        reason: z.string().describe("One word-group for the situation."),
        message: z.string().describe("Details for a person."),
        lastTransitionTime: z.string().describe("When `status` last changed (RFC 3339)."),
        observedGeneration: z.int().optional().describe("Generation the statement is about."),
      }),
    )
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] })
    .describe("State as conditions; `Ready` sums them up."),
};
