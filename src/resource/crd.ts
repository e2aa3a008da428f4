import { TerminalError } from "../errors/town-error.ts";
import { isRecord } from "./equality.ts";
import { type JsonSchema, objectSchema } from "./json-schema.ts";
import type { KindDefinition } from "./kind-definition.ts";

/**
 * The CustomResourceDefinition (apiextensions.k8s.io/v1) that makes a real API server serve the kind as this one does:
 * same schema, columns, subresources and selectable fields. Throws TerminalError `NotStructural` naming the first field
 * that a CRD cannot express.
 */
export function customResourceDefinition(definition: KindDefinition): Readonly<Record<string, unknown>> {
  const { group, version, kind, plural, singular, shortNames, categories, scope, columns, scale, selectableFields } =
    definition;
  const { properties, ...root } = objectSchema(definition);
  const schema: JsonSchema = { ...root, properties: { ...properties, metadata: { type: "object" } } };
  const problem = structuralProblem(schema, "");
  if (problem !== undefined) throw new TerminalError("NotStructural", `Cannot write ${kind} as a CRD: ${problem}.`);
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        ...listed("shortNames", shortNames),
        ...listed("categories", categories),
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {}, ...(scale === undefined ? {} : { scale: { ...scale } }) },
          ...listed(
            "additionalPrinterColumns",
            columns.map(({ name, type, jsonPath, description, priority }) => ({
              name,
              type,
              jsonPath,
              description,
              ...(priority === undefined ? {} : { priority }),
            })),
          ),
          ...listed(
            "selectableFields",
            (selectableFields ?? []).map((jsonPath) => ({ jsonPath })),
          ),
        },
      ],
    },
  };
}

/**
 * What keeps a schema from being structural (every part has a type, no references, unions only of rules about values), as
 * `spec.size: …`; undefined when nothing does. Source: the structural schema rules of the CustomResourceDefinition
 * documentation.
 */
export function structuralProblem(schema: JsonSchema, path: string): string | undefined {
  const at = path === "" ? "the schema" : path;
  if (schema["$ref"] !== undefined) return `${at}: '$ref' is not allowed`;
  for (const word of ["anyOf", "oneOf", "allOf", "not"]) {
    if (schema[word] !== undefined) return `${at}: '${word}' is not allowed; give each alternative a field of its own`;
  }
  const free = schema["x-kubernetes-preserve-unknown-fields"] === true || schema["x-kubernetes-int-or-string"] === true;
  if (schema.type === undefined && !free) return `${at}: has no type`;
  if (schema.properties !== undefined && schema.additionalProperties !== undefined)
    return `${at}: has both properties and additionalProperties`;
  if (schema.type === "array" && schema.items === undefined) return `${at}: is a list without a type of its items`;
  return innerProblem(schema, path);
}

function innerProblem({ properties, items, additionalProperties }: JsonSchema, path: string): string | undefined {
  const inner: readonly (readonly [string, JsonSchema])[] = [
    ...Object.entries(properties ?? {}).map(
      ([name, schema]) => [path === "" ? name : `${path}.${name}`, schema] as const,
    ),
    ...(items === undefined ? [] : [[`${path}[]`, items] as const]),
    ...(isRecord(additionalProperties) ? [[`${path}.*`, additionalProperties as JsonSchema] as const] : []),
  ];
  for (const [at, schema] of inner) {
    const problem = structuralProblem(schema, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Paths of fields without a description: each is a hole in `explain`. */
export function undescribedFields(schema: JsonSchema, path = ""): readonly string[] {
  const { properties, items, additionalProperties } = schema;
  const own = Object.entries(properties ?? {}).flatMap(([name, inner]) => {
    const at = path === "" ? name : `${path}.${name}`;
    return [...(inner.description === undefined ? [at] : []), ...undescribedFields(inner, at)];
  });
  const below = items === undefined ? [] : undescribedFields(items, `${path}[]`);
  const values = typeof additionalProperties === "object" ? undescribedFields(additionalProperties, `${path}.*`) : [];
  return [...own, ...below, ...values];
}

function listed(name: string, items: readonly unknown[]): Readonly<Record<string, unknown>> {
  return items.length === 0 ? {} : { [name]: [...items] };
}
