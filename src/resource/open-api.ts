import type { JsonSchema } from "./json-schema.ts";

/** What an OpenAPI document says of one resource. */
export interface DocumentedResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly schema: JsonSchema;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, unknown>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

const META_SCHEMA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/**
 * OpenAPI 3.0 document of one group version, as small as kubectl 1.27 and later accept it: schemas with their kind, and a
 * PATCH with `fieldValidation` per resource, which is what makes kubectl leave validation to the server.
 */
export function openApiDocument(resources: readonly DocumentedResource[], metadata: JsonSchema): OpenApiDocument {
  const schemas = resources.map((resource) => [schemaName(resource), withKind(resource)] as const);
  const paths = resources.map((resource) => [pathOf(resource), pathItem(resource)] as const);
  return {
    openapi: "3.0.0",
    info: { title: "Town", version: resources[0]?.version ?? "v1" },
    paths: Object.fromEntries(paths),
    components: { schemas: { ...Object.fromEntries(schemas), [META_SCHEMA]: metadata } },
  };
}

/** Path of a document below `/openapi/v3/`. */
export function documentPath({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === "" ? `api/${version}` : `apis/${group}/${version}`;
}

function withKind(resource: DocumentedResource): JsonSchema {
  const { properties } = resource.schema;
  const metadata = {
    allOf: [{ $ref: `#/components/schemas/${META_SCHEMA}` }],
    description: "Standard object's metadata.",
  };
  return {
    ...resource.schema,
    ...(properties === undefined ? {} : { properties: { ...properties, metadata } }),
    "x-kubernetes-group-version-kind": [groupVersionKind(resource)],
  };
}

function pathItem(resource: DocumentedResource): unknown {
  const schema = { $ref: `#/components/schemas/${schemaName(resource)}` };
  const parameter = (name: string, at: string, description: string) => ({
    name,
    in: at,
    required: at === "path",
    description,
    schema: { type: "string", uniqueItems: true },
  });
  return {
    parameters: [
      ...(resource.namespaced ? [parameter("namespace", "path", "Namespace of the object.")] : []),
      parameter("name", "path", `Name of the ${resource.kind}.`),
    ],
    get: {
      operationId: `read${resource.kind}`,
      description: `Reads one ${resource.kind}.`,
      responses: answer(schema),
      "x-kubernetes-action": "get",
      "x-kubernetes-group-version-kind": groupVersionKind(resource),
    },
    patch: {
      operationId: `patch${resource.kind}`,
      description: `Changes one ${resource.kind}.`,
      parameters: [
        parameter("dryRun", "query", "With All, nothing is kept."),
        parameter("fieldManager", "query", "Name of the program that writes."),
        parameter("fieldValidation", "query", "Strict, Warn or Ignore: what happens to unknown fields."),
      ],
      requestBody: {
        content: {
          "application/merge-patch+json": { schema: { type: "object" } },
          "application/json-patch+json": { schema: { type: "array", items: { type: "object" } } },
        },
      },
      responses: answer(schema),
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": groupVersionKind(resource),
    },
  };
}

function answer(schema: unknown): unknown {
  return { "200": { description: "OK", content: { "application/json": { schema } } } };
}

function pathOf(resource: DocumentedResource): string {
  const namespace = resource.namespaced ? "/namespaces/{namespace}" : "";
  return `/${documentPath(resource)}${namespace}/${resource.plural}/{name}`;
}

function groupVersionKind({ group, version, kind }: DocumentedResource) {
  return { group, version, kind };
}

/** `dev.town.v1alpha1.Widget`: the reversed group, as generated documents have it. */
function schemaName({ group, version, kind }: DocumentedResource): string {
  const reversed = group === "" ? "io.k8s.api.core" : group.split(".").reverse().join(".");
  return `${reversed}.${version}.${kind}`;
}
