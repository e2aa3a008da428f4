import { z } from "zod";
import { isRecord } from "../resource/equality.ts";
import type { FieldPath } from "./field-path.ts";
import { fieldText } from "./field-path.ts";
import { didYouMean } from "../domain/text/suggestion.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

const derived = new WeakMap<z.ZodType, JsonSchema>();

/** The JSON schema of what a user may write for a zod schema; derived once per schema. */
export function inputSchema(schema: z.ZodType): JsonSchema {
  let known = derived.get(schema);
  if (known === undefined) {
    known = z.toJSONSchema(schema, { io: "input", unrepresentable: "any", reused: "inline" }) as JsonSchema;
    derived.set(schema, known);
  }
  return known;
}

/** Every schema that a value at `path` may follow: more than one where the schema is a union. */
export function schemasAt(schema: JsonSchema, path: FieldPath): readonly JsonSchema[] {
  let current = alternatives(schema, schema);
  for (const part of path)
    current = current.flatMap((each) => below(each, part)).flatMap((each) => alternatives(each, schema));
  return current;
}

/** A schema and those of its union. A reference (a schema that holds itself) is what it points at in `root`. */
function alternatives(schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] {
  const { $ref: reference } = schema;
  if (typeof reference === "string") {
    const parts = reference.split("/").slice(1);
    const target = parts.reduce<unknown>((value, part) => (isRecord(value) ? value[part] : undefined), root);
    return isRecord(target) && target["$ref"] === undefined ? alternatives(target, root) : [];
  }
  const inner = ["anyOf", "oneOf", "allOf"].flatMap((keyword) =>
    Array.isArray(schema[keyword]) ? (schema[keyword] as unknown[]).filter(isRecord) : [],
  );
  return inner.length === 0 ? [schema] : [schema, ...inner.flatMap((each) => alternatives(each, root))];
}

function below(schema: JsonSchema, part: string | number): readonly JsonSchema[] {
  const { properties, items, additionalProperties } = schema;
  if (typeof part === "number") return isRecord(items) ? [items] : [];
  if (isRecord(properties) && Object.hasOwn(properties, part)) return [properties[part] as JsonSchema];
  return isRecord(additionalProperties) ? [additionalProperties] : [];
}

/** What to say about a field that the schema has not: the name that was meant, or where the field belongs. */
export function unknownFieldHint(schema: JsonSchema, path: FieldPath, field: string): string {
  const names = fieldsAt(schema, path);
  const meant = didYouMean(field, names);
  if (meant !== undefined) return meant;
  const home = homeOf(schema, field, []);
  if (home !== undefined) return `It belongs in \`${fieldText(["spec", ...home])}\`.`;
  return names.length === 0 ? "Remove it." : `Known fields here: ${names.join(", ")}.`;
}

/** Names of the fields that a mapping at `path` may have, sorted. */
export function fieldsAt(schema: JsonSchema, path: FieldPath): readonly string[] {
  return [
    ...new Set(
      schemasAt(schema, path).flatMap((each) => (isRecord(each["properties"]) ? Object.keys(each["properties"]) : [])),
    ),
  ].sort();
}

/** Path of the first mapping, outermost first, that has a field of this name; lists are not entered. */
function homeOf(schema: JsonSchema, field: string, path: FieldPath): FieldPath | undefined {
  const properties = schema["properties"];
  if (!isRecord(properties) || path.length > 6) return undefined;
  if (path.length > 0 && Object.hasOwn(properties, field)) return path;
  for (const [name, inner] of Object.entries(properties)) {
    const found = isRecord(inner) ? homeOf(inner, field, [...path, name]) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
