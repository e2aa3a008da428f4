import { usageError } from "../exit-codes.ts";
import type { ResourceType } from "../resources/discovery.ts";
import { nearest } from "../resources/nearest.ts";
import { plainText } from "./terminal-text.ts";

/** A schema of an OpenAPI v3 document, as far as `explain` reads it. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly format?: string;
  readonly additionalProperties?: Schema | boolean;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly "x-kubernetes-group-version-kind"?: readonly {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
  }[];
}

interface Explained {
  readonly type: ResourceType;
  readonly schema: Schema;
  /** `components.schemas`, for references. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Path below the type. */
  readonly fields: readonly string[];
  readonly recursive: boolean;
}

const WIDTH = 80;

export function findSchema(schemas: Readonly<Record<string, Schema>>, type: ResourceType): Schema | undefined {
  return Object.values(schemas).find((schema) =>
    (schema["x-kubernetes-group-version-kind"] ?? []).some(
      (is) => is.kind === type.kind && is.group === type.group && is.version === type.version,
    ),
  );
}

/** Type or field with its description and the fields below. Throws a usage error for a field that does not exist. */
export function explainText({ type, schema, schemas, fields, recursive }: Explained): string {
  let at = resolved(schema, schemas);
  let required = false;
  const walked: string[] = [type.singular || type.plural];
  for (const name of fields) {
    const inside = inner(at, schemas);
    const next = inside.properties?.[name];
    if (next === undefined) {
      const close = nearest(name, Object.keys(inside.properties ?? {}));
      throw usageError(
        `field "${name}" does not exist in ${walked.join(".")}`,
        close === undefined ? `\`town explain ${walked.join(".")}\` lists its fields` : `did you mean "${close}"?`,
      );
    }
    required = inside.required?.includes(name) === true;
    at = resolved(next, schemas);
    walked.push(name);
  }
  const last = fields.at(-1);
  const group = type.group === "" ? "" : `GROUP:      ${type.group}\n`;
  const field =
    last === undefined ? "" : `FIELD: ${last} <${typeName(at, schemas)}>${required ? " -required-" : ""}\n\n`;
  const head = `${group}KIND:       ${type.kind}\nVERSION:    ${type.version}\n\n${field}`;
  const description = `DESCRIPTION:\n${wrapped(at.description ?? "<empty>", "    ")}${facts(at, "    ")}`;
  const below = inner(at, schemas);
  const list =
    below.properties === undefined ? "" : `\nFIELDS:\n${fieldLines(below, schemas, { depth: 1, recursive })}`;
  return plainText(`${head}${description}${list}`);
}

function fieldLines(
  schema: Schema,
  schemas: Readonly<Record<string, Schema>>,
  { depth, recursive }: { readonly depth: number; readonly recursive: boolean },
): string {
  const indent = "  ".repeat(depth);
  const names = Object.keys(schema.properties ?? {}).sort();
  return names
    .map((name) => {
      const field = resolved(schema.properties?.[name] ?? {}, schemas);
      const line = `${indent}${name}\t<${typeName(field, schemas)}>${schema.required?.includes(name) === true ? " -required-" : ""}\n`;
      // References can lead back to themselves; no schema of ours is deeper than this.
      if (recursive)
        return depth > 12 ? line : line + fieldLines(inner(field, schemas), schemas, { depth: depth + 1, recursive });
      return `${line}${wrapped(field.description ?? "<no description>", `${indent}  `)}${facts(field, `${indent}  `)}\n`;
    })
    .join("");
}

function facts(schema: Schema, indent: string): string {
  const lines: string[] = [];
  if (schema.enum !== undefined) lines.push(`${indent}one of: ${schema.enum.map(String).join(", ")}\n`);
  if (schema.default !== undefined && typeof schema.default !== "object") {
    lines.push(`${indent}default: ${JSON.stringify(schema.default).replace(/^"(.*)"$/s, "$1")}\n`);
  }
  return lines.join("");
}

/** Follows `$ref` and merges `allOf`; what stands beside them (a description, say) wins. */
function resolved(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  const { $ref, allOf, ...own } = schema;
  const parts = [...($ref === undefined ? [] : [schemas[$ref.split("/").at(-1) ?? ""] ?? {}]), ...(allOf ?? [])];
  if (parts.length === 0) return schema;
  return { ...parts.map((part) => resolved(part, schemas)).reduce((all, part) => ({ ...all, ...part })), ...own };
}

/** The schema whose fields one sees: of a list its items, of a map its values. */
function inner(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  if (schema.items !== undefined) return inner(resolved(schema.items, schemas), schemas);
  if (typeof schema.additionalProperties === "object" && schema.properties === undefined)
    return inner(resolved(schema.additionalProperties, schemas), schemas);
  return schema;
}

function typeName(schema: Schema, schemas: Readonly<Record<string, Schema>>): string {
  if (schema.items !== undefined) return `[]${typeName(resolved(schema.items, schemas), schemas)}`;
  if (typeof schema.additionalProperties === "object" && schema.properties === undefined)
    return `map[string]${typeName(resolved(schema.additionalProperties, schemas), schemas)}`;
  if (schema.properties !== undefined || schema.type === "object") return "Object";
  return schema.type ?? "Object";
}

function wrapped(text: string, indent: string): string {
  return text
    .split("\n")
    .map((paragraph) => {
      const lines: string[] = [];
      let line = indent.trimEnd();
      for (const word of paragraph.split(" ")) {
        if (line.trim() !== "" && line.length + 1 + word.length > WIDTH) {
          lines.push(line);
          line = "";
        }
        line = line.trim() === "" ? indent + word : `${line} ${word}`;
      }
      return [...lines, line].map((each) => `${each.trimEnd()}\n`).join("");
    })
    .join("");
}
