import { Buffer } from "node:buffer";
import { isRecord } from "../resource/equality.ts";
import type { JsonSchema } from "../resource/json-schema.ts";
import type { OpenApiDocument } from "../resource/open-api.ts";
import { booleanField, messageField, textField } from "./protobuf.ts";

/** What clients accept. It is no valid media type, so answers carry the form with a dot, as those of Kubernetes do. */
export const OPEN_API_V2_ACCEPTED = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
export const OPEN_API_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

const GROUP_VERSION_KIND = "x-kubernetes-group-version-kind";

/**
 * OpenAPI v2 as protobuf, for kubectl up to 1.28, which downloads it before it creates or applies anything: definitions,
 * and the PATCH of each resource with its query parameters. Field numbers are those of `OpenAPIv2.proto` in
 * github.com/google/gnostic-models.
 */
export function openApiV2(documents: readonly OpenApiDocument[]): Uint8Array {
  const definitions = new Map(documents.flatMap(({ components }) => Object.entries(components.schemas)));
  const paths = documents.flatMap((document) => Object.entries(document.paths));
  return Buffer.concat([
    textField(1, "2.0"),
    messageField(2, textField(1, "Town"), textField(2, "v1")),
    messageField(
      8,
      ...paths.map(([path, item]) => messageField(2, textField(1, path), messageField(2, patchOf(item)))),
    ),
    messageField(9, ...[...definitions].map(([name, schema]) => namedSchema(name, schema))),
  ]);
}

function patchOf(item: unknown): Uint8Array {
  const operation = isRecord(item) && isRecord(item["patch"]) ? item["patch"] : {};
  const parameters = Array.isArray(operation["parameters"]) ? (operation["parameters"] as readonly unknown[]) : [];
  return messageField(
    8,
    ...parameters.map((parameter) =>
      messageField(8, messageField(1, messageField(2, messageField(3, ...queryParameter(parameter))))),
    ),
    messageField(9),
    extension(13, GROUP_VERSION_KIND, operation[GROUP_VERSION_KIND]),
  );
}

function queryParameter(parameter: unknown): readonly Uint8Array[] {
  const name = isRecord(parameter) ? String(parameter["name"]) : "";
  return [textField(2, "query"), textField(4, name), textField(6, "string")];
}

function namedSchema(name: string, schema: JsonSchema): Uint8Array {
  return messageField(1, textField(1, name), messageField(2, ...schemaFields(schema)));
}

/** What kubectl reads of a schema; alternatives have no form in v2 and are left open. */
function schemaFields(schema: JsonSchema): readonly Uint8Array[] {
  const { $ref, allOf, type, description, properties, required = [], items, additionalProperties } = schema;
  const [reference] = Array.isArray(allOf) ? (allOf as readonly JsonSchema[]) : [schema];
  const target = $ref ?? reference?.["$ref"];
  if (typeof target === "string") return [textField(1, target.replace("#/components/schemas/", "#/definitions/"))];
  const kinds = schema[GROUP_VERSION_KIND];
  return [
    ...(description === undefined ? [] : [textField(4, description)]),
    ...required.map((name) => textField(19, name)),
    ...(isRecord(additionalProperties)
      ? [messageField(21, messageField(1, ...schemaFields(additionalProperties)))]
      : []),
    ...(additionalProperties === true ? [messageField(21, booleanField(2, true))] : []),
    ...(type === undefined ? [] : [messageField(22, textField(1, type))]),
    ...(items === undefined ? [] : [messageField(23, messageField(1, ...schemaFields(items)))]),
    ...(properties === undefined
      ? []
      : [messageField(25, ...Object.entries(properties).map(([name, inner]) => namedSchema(name, inner)))]),
    ...(kinds === undefined ? [] : [extension(31, GROUP_VERSION_KIND, kinds)]),
  ];
}

/** Extensions carry YAML, which JSON is. */
function extension(field: number, name: string, value: unknown): Uint8Array {
  return messageField(field, textField(1, name), messageField(2, textField(2, JSON.stringify(value))));
}
