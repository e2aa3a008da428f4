import { ApiStatusError } from "../errors/town-error.ts";
import { HUMAN_ANNOTATIONS, isHeldAnnotation, LAST_APPLIED_ANNOTATION } from "../resource/held-annotation.ts";
import { jsonEqual } from "../resource/equality.ts";
import { patchBetween } from "../resource/merge-patch.ts";
import { keyOf, type ObjectKey, type ObjectMeta, type TownObject } from "../resource/object-meta.ts";
import { admitBody, admitSpec, type Admitted, type FieldValidation, fieldValidationOf } from "./admission.ts";
import type { ResourceRequest } from "./api-request.ts";
import { readPatch } from "./patch-body.ts";
import { requireObject } from "./reading.ts";
import { type JsonObject, readObject } from "./request-body.ts";
import { badRequest, conflict, forbidden, invalid, staleVersion } from "./status.ts";
import {
  type Answer,
  audit,
  isDryRun,
  requireOwnSource,
  statedPart,
  truthPart,
  writable,
  type WritableResource,
  writerOf,
  type Writing,
} from "./writing-context.ts";

const ATTEMPTS = 5;

/** PUT of an object: the body is the whole of it and must carry the resourceVersion it was made from. */
export async function replace(writing: Writing, request: ResourceRequest): Promise<Answer> {
  const { object, duplicates } = await readObject(request);
  return update(writing, request, { wanted: () => object, duplicates, reason: "Updated", stated: true });
}

/** PATCH of an object. */
export async function patch(writing: Writing, request: ResourceRequest): Promise<Answer> {
  const { apply, duplicates } = await readPatch(request);
  const wanted = (before: TownObject): JsonObject => apply(asBody(before));
  return update(writing, request, { wanted, duplicates, reason: "Patched", stated: false });
}

export interface Update {
  /** The whole object the client wants, from the present one. */
  readonly wanted: (before: TownObject) => JsonObject;
  /** Fields that the body states more than once. */
  readonly duplicates: readonly string[];
  readonly reason: string;
  /** True when the client sent the whole body, so that it can become the file as it is. */
  readonly stated: boolean;
  /** Overrides the query's, for bodies that are not the client's own. */
  readonly fieldValidation?: FieldValidation;
}

/** Reads, admits and writes under the object's lock; a write that lost a race is tried again from the new state. */
export async function update(writing: Writing, request: ResourceRequest, change: Update): Promise<Answer> {
  const resource = writable(request);
  const dryRun = isDryRun(request);
  const validation = change.fieldValidation ?? fieldValidationOf(request.query);
  return writing.locks.run(`${resource.kind} ${request.namespace ?? ""} ${request.name ?? ""}`, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const before = requireObject(writing.store, request);
      const body = change.wanted(before);
      const admitted = admitBody(resource, body, { validation, duplicates: change.duplicates });
      requireIdentity(request, before, admitted, change.stated);
      try {
        return await applyUpdate(writing, request, { resource, before, admitted, dryRun, change });
      } catch (error) {
        const versioned = change.stated || admitted.metadata.resourceVersion !== before.metadata.resourceVersion;
        if (!isConflict(error) || versioned || attempt === ATTEMPTS || writing.store.get(keyOf(before)) === before)
          throw error;
      }
    }
  });
}

interface Prepared {
  readonly resource: WritableResource;
  readonly before: TownObject;
  readonly admitted: Admitted;
  readonly dryRun: boolean;
  readonly change: Update;
}

async function applyUpdate(
  writing: Writing,
  request: ResourceRequest,
  { resource, before, admitted, dryRun, change }: Prepared,
): Promise<Answer> {
  const key = keyOf(before);
  const spec = admitSpec(resource, admitted, key.name);
  const after = nextObject(before, admitted, spec);
  requireNoNewFinalizers(resource, before, after);
  requirePerson(request, resource, before, after);
  const inTruth = !jsonEqual(ownFields(before), ownFields(after));
  if (inTruth) {
    requireOwnSource(writing, resource, key);
    if (before.metadata.deletionTimestamp !== undefined)
      throw conflict(
        resource,
        key.name,
        `Operation cannot be fulfilled on ${resource.plural}.${resource.group} "${key.name}": it is being deleted`,
      );
    const stated = change.stated ? { stated: statedPart(admitted.stated, after.metadata) } : {};
    await writerOf(writing, resource).write({
      caller: request.caller,
      key,
      before: truthPart(before),
      after: truthPart(after),
      dryRun,
      ...stated,
    });
  }
  const { warnings } = admitted;
  if (dryRun) return { code: 200, body: after, warnings };
  await storeHeldParts(writing, key, before, after);
  const object = writing.store.get(key) ?? after;
  const fields = changedFields(before, after);
  if (fields.length > 0)
    audit(writing, request, after, { reason: change.reason, message: `changed ${fields.join(", ")}` });
  return { code: 200, body: object, warnings };
}

/** Approvals are a person's word: an agent's are refused, whatever its role grants. */
function requirePerson(
  { caller }: ResourceRequest,
  resource: WritableResource,
  before: TownObject,
  after: TownObject,
): void {
  if (caller.role !== "agent") return;
  const changed = HUMAN_ANNOTATIONS.find(
    (name) => before.metadata.annotations?.[name] !== after.metadata.annotations?.[name],
  );
  if (changed !== undefined)
    throw forbidden(resource, before.metadata.name, `only a person may set the annotation ${changed}`);
}

/** What is not of the truth: finalizers, owners and held annotations go straight to the store. */
export async function storeHeldParts(
  writing: Writing,
  key: ObjectKey,
  before: TownObject,
  after: TownObject,
): Promise<void> {
  const held = patchBetween(heldOf(before), heldOf(after)) as Record<string, string | null>;
  if (Object.keys(held).length > 0) await writing.store.annotateRuntime(key, held);
  const meta: { finalizers?: readonly string[]; ownerReferences?: ObjectMeta["ownerReferences"] } = {};
  if (!jsonEqual(before.metadata.ownerReferences ?? [], after.metadata.ownerReferences ?? []))
    meta.ownerReferences = after.metadata.ownerReferences ?? [];
  if (!jsonEqual(before.metadata.finalizers ?? [], after.metadata.finalizers ?? []))
    meta.finalizers = after.metadata.finalizers ?? [];
  if (Object.keys(meta).length > 0)
    await writing.store.setMetadata(key, meta as Pick<Partial<ObjectMeta>, "ownerReferences" | "finalizers">);
}

/** What a patch is applied to: the object as clients see it. */
export function asBody(object: TownObject): JsonObject {
  return object as unknown as JsonObject;
}

function nextObject(before: TownObject, { metadata }: Admitted, spec: JsonObject): TownObject {
  const {
    labels: _labels,
    annotations: _annotations,
    finalizers: _finalizers,
    ownerReferences: _owners,
    ...kept
  } = before.metadata;
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  return {
    ...before,
    metadata: {
      ...kept,
      generation: kept.generation + (jsonEqual(before.spec, spec) ? 0 : 1),
      ...filled("labels", labels),
      ...filled("annotations", annotations),
      ...filled("ownerReferences", ownerReferences),
      ...filled("finalizers", finalizers),
    },
    spec,
  };
}

function filled<K extends string, V extends object>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined || Object.keys(value).length === 0 ? {} : ({ [name]: value } as Partial<Record<K, V>>);
}

function requireIdentity(request: ResourceRequest, before: TownObject, { metadata }: Admitted, whole: boolean): void {
  const { resource } = request;
  const { name, namespace, uid, resourceVersion } = before.metadata;
  if (metadata.name !== name && (metadata.name !== undefined || !whole)) {
    throw badRequest(`the name of the object (${metadata.name ?? ""}) does not match the name on the URL (${name})`);
  }
  if (metadata.name === undefined)
    throw badRequest("the name of the object is missing: metadata.name must be the name on the URL");
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (whole && metadata.resourceVersion === undefined) {
    throw invalid(resource, name, [
      {
        reason: "FieldValueInvalid",
        field: "metadata.resourceVersion",
        message: "Invalid value: 0: must be specified for an update",
      },
    ]);
  }
  if (metadata.uid !== undefined && metadata.uid !== uid) {
    throw conflict(
      resource,
      name,
      `Operation cannot be fulfilled on ${resource.plural}.${resource.group} "${name}": Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`,
    );
  }
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== resourceVersion)
    throw staleVersion(resource, name);
}

function requireNoNewFinalizers(resource: WritableResource, before: TownObject, after: TownObject): void {
  if (before.metadata.deletionTimestamp === undefined) return;
  const former = new Set(before.metadata.finalizers ?? []);
  const added = (after.metadata.finalizers ?? []).filter((name) => !former.has(name));
  if (added.length === 0) return;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
  throw invalid(resource, before.metadata.name, [
    { reason: "FieldValueForbidden", field: "metadata.finalizers", message },
  ]);
}

/** What the truth of an object holds. */
function ownFields(object: TownObject): unknown {
  const { metadata } = truthPart(object);
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {}, spec: object.spec };
}

function heldOf(object: TownObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(object.metadata.annotations ?? {}).filter(([name]) => isHeldAnnotation(name)),
  );
}

/** For the audit: what a person would say was changed. */
function changedFields(before: TownObject, after: TownObject): readonly string[] {
  const [former, next] = [auditedMetadata(before), auditedMetadata(after)];
  const metadata = Object.keys(former).filter((field) => !jsonEqual(former[field], next[field]));
  const spec = Object.keys({ ...before.spec, ...after.spec }).filter(
    (field) => !jsonEqual(before.spec[field], after.spec[field]),
  );
  return [...metadata.map((field) => `metadata.${field}`), ...spec.map((field) => `spec.${field}`)];
}

function auditedMetadata({ metadata }: TownObject): Readonly<Record<string, unknown>> {
  const { [LAST_APPLIED_ANNOTATION]: _lastApplied, ...annotations } = metadata.annotations ?? {};
  return {
    labels: metadata.labels ?? {},
    annotations,
    finalizers: metadata.finalizers ?? [],
    ownerReferences: metadata.ownerReferences ?? [],
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiStatusError && error.code === 409 && error.reason === "Conflict";
}
