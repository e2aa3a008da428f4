import { ApiStatusError } from "../errors/town-error.ts";
import { type JsonSchema, objectSchema } from "./json-schema.ts";
import type { KindDefinition } from "./kind-definition.ts";
import { plainText } from "./plain-text.ts";

const WIDTH = 78;

/**
 * The text of `explain`: kind, field, description and the fields below. `path`: `spec.env.value`, "" for the whole kind.
 * `recursive`: all fields down to the leaves, without descriptions. Throws ApiStatusError 404 for a field that is not there.
 */
export function explain(definition: KindDefinition, path: string, recursive: boolean): string {
  const { group, version, kind } = definition;
  const segments = path.split(".").filter((segment) => segment !== "");
  const schema = schemaAt(objectSchema(definition), segments, `${definition.plural}.${path}`);
  const head = [`GROUP:      ${group}`, `KIND:       ${kind}`, `VERSION:    ${version}`, ""];
  const field = segments.length === 0 ? [] : [`FIELD: ${segments.at(-1) ?? ""} <${typeText(schema)}>`, ""];
  const about = ["DESCRIPTION:", ...wrapped(schema.description ?? definition.description, 4), ...limits(schema), ""];
  const fields = members(schema);
  if (fields === undefined) return [...head, ...field, ...about].join("\n").trimEnd();
  const listed = recursive
    ? tree(fields, 2)
    : fields.flatMap((member) => [
        ...fieldLine(member, 2),
        ...wrapped(member.schema.description ?? "<no description>", 4),
        "",
      ]);
  return [...head, ...field, ...about, "FIELDS:", ...listed].join("\n").trimEnd();
}

interface Member {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required: boolean;
}

function schemaAt(schema: JsonSchema, segments: readonly string[], whole: string): JsonSchema {
  return segments.reduce((at, segment) => {
    const next = members(at)?.find(({ name }) => name === segment);
    if (next !== undefined) return next.schema;
    const near =
      members(at)
        ?.map(({ name }) => name)
        .join(", ") ?? "it has no fields";
    throw new ApiStatusError(404, "NotFound", `field "${segment}" does not exist in ${whole}`, {
      hint: `There are: ${near}.`,
    });
  }, schema);
}

/** Fields of an object, or of what a list or map holds; undefined for a plain value. */
function members(schema: JsonSchema): readonly Member[] | undefined {
  const inner = innermost(schema);
  if (inner.properties === undefined) return undefined;
  const required = new Set(inner.required ?? []);
  return Object.entries(inner.properties)
    .map(([name, property]) => ({ name, schema: property, required: required.has(name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function innermost(schema: JsonSchema): JsonSchema {
  if (schema.items !== undefined) return innermost(schema.items);
  return typeof schema.additionalProperties === "object" ? innermost(schema.additionalProperties) : schema;
}

function tree(fields: readonly Member[], indent: number): readonly string[] {
  return fields.flatMap((member) => [...fieldLine(member, indent), ...tree(members(member.schema) ?? [], indent + 2)]);
}

function fieldLine({ name, schema, required }: Member, indent: number): readonly string[] {
  const pad = " ".repeat(indent);
  const choice = schema.enum === undefined ? [] : [`${pad}enum: ${schema.enum.map(plainText).join(", ")}`];
  return [`${pad}${name}\t<${typeText(schema)}>${required ? " -required-" : ""}`, ...choice];
}

function typeText(schema: JsonSchema): string {
  if (schema["x-kubernetes-int-or-string"] === true) return "IntOrString";
  if (schema.items !== undefined) return `[]${typeText(schema.items)}`;
  if (typeof schema.additionalProperties === "object") return `map[string]${typeText(schema.additionalProperties)}`;
  return schema.properties === undefined && (schema.type === undefined || schema.type === "object")
    ? "Object"
    : schema.type === "object"
      ? "Object"
      : (schema.type ?? "Object");
}

/** What the schema says beyond the type. */
function limits(schema: JsonSchema): readonly string[] {
  const facts = (["default", "minimum", "maximum", "minLength", "maxLength", "pattern", "format"] as const)
    .filter((word) => schema[word] !== undefined)
    .map((word) => `    ${word}: ${plainText(schema[word])}`);
  const choice = schema.enum === undefined ? [] : [`    one of: ${schema.enum.map(plainText).join(", ")}`];
  return [...choice, ...facts];
}

function wrapped(text: string, indent: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > WIDTH - indent) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => " ".repeat(indent) + each);
}
