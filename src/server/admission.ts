import type { ErrorCause } from "../errors/town-error.ts";
import { objectSchema, pruned, unknownFields } from "../resource/json-schema.ts";
import type { KindDefinition } from "../resource/kind-definition.ts";
import { annotationCauses, finalizerCauses, labelCauses } from "../resource/names.ts";
import type { InputMeta } from "../resource/object-meta.ts";
import { checkFields } from "../resource/validation.ts";
import type { ApiResource } from "./api-resource.ts";
import { readMetadata } from "./object-input.ts";
import type { JsonObject } from "./request-body.ts";
import { badRequest, invalid, type ResourceName } from "./status.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";

/** A body that may become an object. */
export interface Admitted {
  readonly metadata: InputMeta;
  /** With defaults. */
  readonly spec: JsonObject;
  /** As sent, without unknown fields. */
  readonly stated: JsonObject;
  readonly status: unknown;
  /** Unknown and doubled fields, for Warning headers. */
  readonly warnings: readonly string[];
}

export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const value = query.get("fieldValidation") ?? "";
  if (value === "") return "Warn";
  if (value === "Strict" || value === "Warn" || value === "Ignore") return value;
  throw badRequest(`fieldValidation: Unsupported value: "${value}": supported values: "Ignore", "Strict", "Warn"`);
}

/** How a body is taken in. */
export interface BodyRules {
  readonly validation: FieldValidation;
  /** Fields that it states more than once. */
  readonly duplicates: readonly string[];
  /** The part that this endpoint does not write. Default `status`. */
  readonly ignored?: "spec" | "status";
}

/** Type, unknown and doubled fields, and metadata of a body; the spec is checked by `admitSpec` once the name is known. */
export function admitBody(
  resource: ApiResource & { readonly definition: KindDefinition },
  sent: JsonObject,
  { validation, duplicates, ignored = "status" }: BodyRules,
): Admitted {
  const { definition } = resource;
  const metadata = readMetadata(sent);
  requireType(resource, sent, metadata.name ?? "");
  const { [ignored]: _ignored, ...body } = sent;
  const schema = objectSchema(definition);
  const unknown = unknownFields(schema, body);
  const remarks = [
    ...duplicates.map((field) => `duplicate field "${field}"`),
    ...unknown.map((field) => `unknown field "${field}"`),
  ];
  if (validation === "Strict" && remarks.length > 0) {
    throw badRequest(
      `${definition.kind} in version "${definition.version}" cannot be handled as a ${definition.kind}: strict decoding error: ${remarks.join(", ")}`,
    );
  }
  const known = (unknown.length === 0 ? body : pruned(schema, body)) as JsonObject;
  return {
    metadata,
    spec: (known["spec"] ?? {}) as JsonObject,
    stated: known,
    status: known["status"],
    warnings: validation === "Warn" ? remarks : [],
  };
}

/** Spec with defaults. Throws 422 with every cause, those of metadata included. */
export function admitSpec(
  resource: ResourceName & { readonly definition: KindDefinition },
  admitted: Admitted,
  name: string,
  more: readonly ErrorCause[] = [],
): JsonObject {
  const { metadata, spec } = admitted;
  const causes = [
    ...more,
    ...labelCauses(metadata.labels ?? {}),
    ...annotationCauses(metadata.annotations ?? {}),
    ...finalizerCauses(metadata.finalizers ?? []),
  ];
  const checked = checkFields(resource.definition.spec, spec, "spec");
  if ("causes" in checked) causes.push(...checked.causes);
  if (causes.length > 0 || "causes" in checked) throw invalid(resource, name, causes);
  return checked.value;
}

/** Status as a client wants it, without unknown fields. */
export function admitStatus(
  resource: ResourceName & { readonly definition: KindDefinition },
  status: unknown,
  name: string,
): JsonObject {
  const checked = checkFields(resource.definition.status, status ?? {}, "status");
  if ("causes" in checked) throw invalid(resource, name, checked.causes);
  return checked.value;
}

function requireType(resource: ApiResource, body: JsonObject, name: string): void {
  const { kind, apiVersion } = body;
  if (typeof kind !== "string" || kind === "") throw badRequest("Object 'Kind' is missing in the request body");
  if (typeof apiVersion !== "string" || apiVersion === "")
    throw badRequest("Object 'apiVersion' is missing in the request body");
  if (kind !== resource.kind) {
    throw invalid(resource, name, [
      { reason: "FieldValueInvalid", field: "kind", message: `Invalid value: "${kind}": must be ${resource.kind}` },
    ]);
  }
  if (apiVersion !== resource.apiVersion) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${resource.apiVersion})`,
    );
  }
}
