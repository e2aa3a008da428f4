import { z } from "zod";
import { isRecord } from "./equality.ts";
import type { KindDefinition } from "./kind-definition.ts";

/** OpenAPI 3.0 schema, as far as a structural CRD schema may use it. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly [keyword: string]: unknown;
}

const PRESERVE = "x-kubernetes-preserve-unknown-fields";
const INT_OR_STRING = "x-kubernetes-int-or-string";

/**
 * The structural schema of a zod type, fit for a CRD: no `$ref`, no `additionalProperties` beside `properties`, unknown
 * content marked as preserved, whole-number-or-text as `x-kubernetes-int-or-string`. Throws what zod throws for types
 * without a schema (date, bigint, map).
 */
export function structuralSchema(type: z.ZodType): JsonSchema {
  const known = schemas.get(type);
  if (known !== undefined) return known;
  const schema = z.toJSONSchema(type, {
    target: "openapi-3.0",
    io: "input",
    reused: "inline",
    cycles: "throw",
    override: ({ jsonSchema }) => tidy(jsonSchema),
  }) as JsonSchema;
  schemas.set(type, schema);
  return schema;
}

const schemas = new WeakMap<z.ZodType, JsonSchema>();

function tidy(schema: Record<string, unknown>): void {
  delete schema["$schema"];
  delete schema["~standard"];
  delete schema["propertyNames"];
  if (schema["minimum"] === Number.MIN_SAFE_INTEGER) delete schema["minimum"];
  if (schema["maximum"] === Number.MAX_SAFE_INTEGER) delete schema["maximum"];
  if (isIntOrString(schema["anyOf"])) {
    delete schema["anyOf"];
    schema[INT_OR_STRING] = true;
  }
  const extra = schema["additionalProperties"];
  if (isRecord(extra) && (Object.keys(extra).length === 0 || extra[PRESERVE] === true)) schema[PRESERVE] = true;
  if (schema["properties"] !== undefined || extra === false || schema[PRESERVE] === true)
    delete schema["additionalProperties"];
  if (
    schema["type"] === undefined &&
    schema["anyOf"] === undefined &&
    schema["allOf"] === undefined &&
    schema[INT_OR_STRING] === undefined &&
    schema["enum"] === undefined
  ) {
    schema[PRESERVE] = true;
  }
}

function isIntOrString(branches: unknown): boolean {
  if (!Array.isArray(branches) || branches.length !== 2) return false;
  const types = branches.map((branch: unknown) => (isRecord(branch) ? branch["type"] : undefined));
  return types.includes("string") && types.includes("integer");
}

const text = (description: string): JsonSchema => ({ type: "string", description });
const texts = (description: string): JsonSchema => ({
  type: "object",
  description,
  additionalProperties: { type: "string" },
});

/** Metadata of every object: what the server takes and gives. */
export const OBJECT_META_SCHEMA: JsonSchema = {
  type: "object",
  description: "Standard object's metadata.",
  properties: {
    name: text("Name of the object, unique within its namespace. Cannot be changed."),
    generateName: text("Prefix of a name that the server completes when `name` is empty."),
    namespace: text("Namespace of the object. Cannot be changed."),
    uid: text("Identity of this object in time: a re-created object has another. Set by the server."),
    resourceVersion: text("Opaque version, for optimistic locking and watches. Set by the server."),
    generation: {
      type: "integer",
      format: "int64",
      description: "Rises with each change of the desired state. Set by the server.",
    },
    creationTimestamp: {
      type: "string",
      format: "date-time",
      description: "When the object was created. Set by the server.",
    },
    deletionTimestamp: {
      type: "string",
      format: "date-time",
      description: "When deletion was asked for; the object goes once its finalizers are done. Set by the server.",
    },
    deletionGracePeriodSeconds: {
      type: "integer",
      format: "int64",
      description: "Always 0 for an object in deletion. Set by the server.",
    },
    labels: texts("Keys and values to select objects by."),
    annotations: texts("Keys and values for tools; not selectable."),
    finalizers: {
      type: "array",
      items: { type: "string" },
      description: "What must be cleaned up before the object goes.",
      "x-kubernetes-list-type": "set",
    },
    ownerReferences: {
      type: "array",
      description: "Objects this one belongs to; it is collected when all of them are gone.",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      items: {
        type: "object",
        required: ["apiVersion", "kind", "name", "uid"],
        properties: {
          apiVersion: text("API version of the owner."),
          kind: text("Kind of the owner."),
          name: text("Name of the owner."),
          uid: text("UID of the owner."),
          controller: { type: "boolean", description: "True for the owner that manages this object." },
          blockOwnerDeletion: {
            type: "boolean",
            description: "True when foreground deletion of the owner waits for this object.",
          },
        },
      },
    },
    managedFields: {
      type: "array",
      items: { type: "object", [PRESERVE]: true },
      description: "Not kept: who set which field is in the git history.",
    },
    selfLink: text("Not used."),
  },
};

/** The schema of whole objects of a kind. */
export function objectSchema(definition: KindDefinition): JsonSchema {
  const spec = structuralSchema(definition.spec);
  return {
    type: "object",
    description: definition.description,
    properties: {
      apiVersion: text(`Always ${definition.group}/${definition.version}.`),
      kind: text(`Always ${definition.kind}.`),
      metadata: OBJECT_META_SCHEMA,
      spec: { description: "Desired state.", ...spec },
      status: { description: "Observed state; written by the controllers.", ...structuralSchema(definition.status) },
    },
    ...((spec.required ?? []).length > 0 ? { required: ["spec"] } : {}),
  };
}

/** Paths of fields that the schema does not know, as `spec.env[0].nmae`, in order of appearance. */
export function unknownFields(schema: JsonSchema, value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, index) => unknownFields(items, item, `${path}[${index}]`));
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const known = memberSchema(schema, name);
    return known === undefined ? [at] : unknownFields(known, inner, at);
  });
}

/** The value without the fields that the schema does not know; the same value when it has none. */
export function pruned(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value))
    return schema.items === undefined ? value : value.map((item) => pruned(schema.items ?? {}, item));
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const known = memberSchema(schema, name);
    return known === undefined ? [] : [[name, pruned(known, inner)] as const];
  });
  return Object.fromEntries(kept);
}

/** Schema of a member: its own, that of a map's values, anything where nothing is stated; undefined when unknown. */
function memberSchema(schema: JsonSchema, name: string): JsonSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  if (typeof schema.additionalProperties === "object") return schema.additionalProperties;
  if (
    schema[PRESERVE] === true ||
    (schema.properties === undefined && schema.additionalProperties !== false && schema.type !== "object")
  )
    return {};
  return undefined;
}
