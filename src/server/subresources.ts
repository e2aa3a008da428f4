import { isRecord, jsonEqual } from "../resource/equality.ts";
import { pruned, structuralSchema } from "../resource/json-schema.ts";
import { valueAt } from "../resource/json-path.ts";
import type { ScaleSubresource } from "../resource/kind-definition.ts";
import { patchBetween } from "../resource/merge-patch.ts";
import { keyOf, type TownObject } from "../resource/object-meta.ts";
import { tableRenderer } from "../resource/table.ts";
import { admitBody, admitStatus, fieldValidationOf } from "./admission.ts";
import { renderOne } from "./answer-shape.ts";
import type { ResourceRequest } from "./api-request.ts";
import type { ApiResource } from "./api-resource.ts";
import { readPatch } from "./patch-body.ts";
import { type Reading, renderingOf, requireObject } from "./reading.ts";
import { type JsonObject, readObject } from "./request-body.ts";
import { badRequest, invalid, staleVersion } from "./status.ts";
import { asBody, update } from "./updating.ts";
import { type Answer, audit, isDryRun, writable, type Writing } from "./writing-context.ts";

/** PUT or PATCH of `/status`: everything but status is ignored. */
export async function writeStatus(writing: Writing, request: ResourceRequest): Promise<Answer> {
  const resource = writable(request);
  const dryRun = isDryRun(request);
  const { wanted, duplicates } = await wantedObject(request, asBody);
  return writing.locks.run(`${resource.kind} ${request.namespace ?? ""} ${request.name ?? ""}`, async () => {
    const before = requireObject(writing.store, request);
    const { metadata, status, warnings } = admitBody(resource, wanted(before), {
      validation: fieldValidationOf(request.query),
      duplicates,
      ignored: "spec",
    });
    requireVersion(resource, before, metadata.resourceVersion);
    const next = admitStatus(resource, status, before.metadata.name);
    if (dryRun) return { code: 200, body: { ...before, status: next }, warnings };
    const key = keyOf(before);
    const shown = pruned(structuralSchema(resource.definition.status), before.status ?? {}) as JsonObject;
    await writing.store.patchStatus(key, patchBetween(shown, next));
    if (!jsonEqual(before.status ?? {}, next))
      audit(writing, request, before, { reason: "StatusChanged", message: "changed status" });
    return { code: 200, body: writing.store.get(key) ?? before, warnings };
  });
}

/** GET of `/scale`. */
export function readScale(reading: Reading, request: ResourceRequest, scale: ScaleSubresource): unknown {
  const object = requireObject(reading.store, request);
  return renderOne(
    { ...request.resource, table: SCALE_TABLE },
    scaleOf(object, scale),
    renderingOf(request, reading.clock),
  );
}

/** PUT or PATCH of `/scale`: a change of the replicas field in spec. */
export async function writeScale(writing: Writing, request: ResourceRequest, scale: ScaleSubresource): Promise<Answer> {
  const { wanted } = await wantedObject(request, (object) => asBody(scaleOf(object, scale)));
  const answer = await update(writing, request, {
    reason: "Scaled",
    duplicates: [],
    stated: false,
    fieldValidation: "Ignore",
    wanted: (before) => {
      const body = wanted(before);
      const metadata = isRecord(body["metadata"]) ? body["metadata"] : {};
      requireVersion(request.resource, before, metadata["resourceVersion"]);
      const replicas = replicasOf(request.resource, body, before.metadata.name);
      const segments = scale.specReplicasPath.split(".").filter((segment) => segment !== "");
      return withValue(asBody(before), segments, replicas);
    },
  });
  return { ...answer, body: scaleOf(answer.body as TownObject, scale) };
}

async function wantedObject(
  request: ResourceRequest,
  shown: (object: TownObject) => JsonObject,
): Promise<{ readonly wanted: (before: TownObject) => JsonObject; readonly duplicates: readonly string[] }> {
  if (request.method === "PATCH") {
    const { apply, duplicates } = await readPatch(request);
    return { wanted: (before) => apply(shown(before)), duplicates };
  }
  const { object, duplicates } = await readObject(request);
  return { wanted: () => object, duplicates };
}

function requireVersion(resource: ApiResource, before: TownObject, version: unknown): void {
  if (version === undefined || version === null || version === "") return;
  if (version !== before.metadata.resourceVersion) throw staleVersion(resource, before.metadata.name);
}

function replicasOf(resource: ApiResource, body: JsonObject, name: string): number {
  const spec = body["spec"] ?? {};
  if (!isRecord(spec)) throw badRequest("spec of a Scale must be an object");
  const replicas = spec["replicas"] ?? 0;
  if (Number.isSafeInteger(replicas) && Number(replicas) >= 0) return Number(replicas);
  throw invalid(resource, name, [
    {
      reason: "FieldValueInvalid",
      field: "spec.replicas",
      message: `Invalid value: ${JSON.stringify(replicas)}: should be a whole number greater than or equal to 0`,
    },
  ]);
}

function withValue(target: JsonObject, segments: readonly string[], value: unknown): JsonObject {
  const [first, ...rest] = segments;
  if (first === undefined) return target;
  const inner = target[first];
  return { ...target, [first]: rest.length === 0 ? value : withValue(isRecord(inner) ? inner : {}, rest, value) };
}

/** autoscaling/v1 Scale of an object. */
function scaleOf(object: TownObject, scale: ScaleSubresource): TownObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = scale.labelSelectorPath === undefined ? undefined : valueAt(object, scale.labelSelectorPath);
  const body = {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: count(valueAt(object, scale.specReplicasPath)) },
    status: {
      replicas: count(valueAt(object, scale.statusReplicasPath)),
      ...(typeof selector === "string" ? { selector } : {}),
    },
  };
  return body as unknown as TownObject;
}

function count(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

const SCALE_TABLE = tableRenderer([
  { name: "Desired", type: "integer", jsonPath: ".spec.replicas", description: "Replicas that are wanted." },
  { name: "Available", type: "integer", jsonPath: ".status.replicas", description: "Replicas that exist." },
  {
    name: "Age",
    type: "date",
    jsonPath: ".metadata.creationTimestamp",
    description: "Time since the object was created.",
  },
]);
