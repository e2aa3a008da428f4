import { isRecord } from "../resource/equality.ts";
import { timestamp } from "../resource/condition.ts";
import { keyOf, type TownObject } from "../resource/object-meta.ts";
import type { ResourceRequest } from "./api-request.ts";
import { requireObject, selected } from "./reading.ts";
import { type JsonObject, readOptionalObject } from "./request-body.ts";
import { selectionOf } from "./selection.ts";
import { badRequest, conflict, invalid, success } from "./status.ts";
import {
  type Answer,
  audit,
  isDryRun,
  requireOwnSource,
  truthPart,
  writable,
  type WritableResource,
  writerOf,
  type Writing,
} from "./writing-context.ts";

interface DeleteOptions {
  readonly dryRun: boolean;
  /** Finalizer that makes the collector do what the policy says; undefined for Background. */
  readonly finalizer: string | undefined;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

const BATCH = 100;

/** DELETE of one object: Success when it is gone, the object while finalizers hold it. */
export async function remove(writing: Writing, request: ResourceRequest): Promise<Answer> {
  const resource = writable(request);
  const options = deleteOptions(request, await readOptionalObject(request));
  return removeOne(writing, request, resource, options);
}

/** DELETE of a collection: everything that the selectors mean; answers the list of what was deleted. */
export async function removeAll(writing: Writing, request: ResourceRequest): Promise<Answer> {
  const resource = writable(request);
  const options = deleteOptions(request, await readOptionalObject(request));
  const { items, resourceVersion } = selected(writing.store, resource, selectionOf(request, request.query));
  for (let at = 0; at < items.length; at += BATCH) {
    const batch = items
      .slice(at, at + BATCH)
      .map(({ metadata }) => removeOne(writing, one(request, metadata), resource, { ...options, uid: metadata.uid }));
    const failed = (await Promise.allSettled(batch)).find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
  return {
    code: 200,
    body: { kind: resource.listKind, apiVersion: resource.apiVersion, metadata: { resourceVersion }, items },
  };
}

function one(request: ResourceRequest, { name, namespace }: TownObject["metadata"]): ResourceRequest {
  return {
    ...request,
    header: (key) => request.header(key),
    body: () => request.body(),
    name,
    ...(namespace === undefined ? {} : { namespace }),
  };
}

async function removeOne(
  writing: Writing,
  request: ResourceRequest,
  resource: WritableResource,
  options: DeleteOptions,
): Promise<Answer> {
  return writing.locks.run(`${resource.kind} ${request.namespace ?? ""} ${request.name ?? ""}`, async () => {
    const before = requireObject(writing.store, request);
    const key = keyOf(before);
    requirePreconditions(resource, before, options);
    if (before.metadata.deletionTimestamp !== undefined) return { code: 200, body: before };
    requireOwnSource(writing, resource, key);
    const writer = writerOf(writing, resource);
    const change = { caller: request.caller, key, before: truthPart(before), after: undefined };
    if (options.dryRun) {
      await writer.write({ ...change, dryRun: true });
      return { code: 200, body: wouldBe(writing, resource, before) };
    }
    await withFinalizer(writing, before, options.finalizer, () => writer.write({ ...change, dryRun: false }));
    audit(writing, request, before, { reason: "Deleted", message: "deleted it" });
    return { code: 200, ...outcome(resource, before, writing.store.get(key)) };
  });
}

/** The policy's finalizer is there before the object goes into deletion, and is taken off when the write is refused. */
async function withFinalizer(
  writing: Writing,
  object: TownObject,
  finalizer: string | undefined,
  write: () => Promise<void>,
): Promise<void> {
  if (finalizer === undefined) return write();
  const key = keyOf(object);
  await writing.store.setFinalizer(key, finalizer, true);
  try {
    await write();
  } catch (error) {
    await writing.store.setFinalizer(key, finalizer, false);
    throw error;
  }
}

/**
 * What the answer of a delete says. Without a uid in it clients do not wait for that object to go: it stays, because
 * only the document that overrode it is gone.
 */
function outcome(
  resource: WritableResource,
  before: TownObject,
  left: TownObject | undefined,
): Pick<Answer, "body" | "warnings"> {
  const { name, uid } = before.metadata;
  if (left === undefined || left.metadata.uid !== uid) return { body: gone(resource, before) };
  if (left.metadata.deletionTimestamp !== undefined) return { body: left };
  return {
    body: success({ name, group: resource.group, kind: resource.plural }),
    warnings: [
      `${resource.plural}.${resource.group} "${name}" comes with the program: it is in force again as shipped`,
    ],
  };
}

function gone(resource: WritableResource, { metadata }: TownObject): unknown {
  return success({ name: metadata.name, group: resource.group, kind: resource.plural, uid: metadata.uid });
}

function wouldBe(writing: Writing, resource: WritableResource, before: TownObject): unknown {
  if ((before.metadata.finalizers ?? []).length === 0) return gone(resource, before);
  return {
    ...before,
    metadata: {
      ...before.metadata,
      generation: before.metadata.generation + 1,
      deletionTimestamp: timestamp(writing.clock.now()),
      deletionGracePeriodSeconds: 0,
    },
  };
}

function requirePreconditions(resource: WritableResource, { metadata }: TownObject, options: DeleteOptions): void {
  if (options.uid !== undefined && options.uid !== metadata.uid) {
    throw conflict(
      resource,
      metadata.name,
      `the UID in the precondition (${options.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      resource,
      metadata.name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

function deleteOptions(request: ResourceRequest, body: JsonObject): DeleteOptions {
  const { preconditions, propagationPolicy, orphanDependents } = body;
  if (preconditions !== undefined && preconditions !== null && !isRecord(preconditions))
    throw badRequest("preconditions must be an object");
  const policy =
    propagationPolicy ??
    request.query.get("propagationPolicy") ??
    (orphanDependents === true ? "Orphan" : "Background");
  return {
    dryRun: isDryRun(request, body["dryRun"]),
    finalizer: finalizerOf(policy),
    uid: textOf(preconditions, "uid"),
    resourceVersion: textOf(preconditions, "resourceVersion"),
  };
}

function finalizerOf(policy: unknown): string | undefined {
  switch (policy) {
    case "Background":
    case "":
      return undefined;
    case "Foreground":
      return "foregroundDeletion";
    case "Orphan":
      return "orphan";
    default:
      throw invalid({ group: "meta.k8s.io", plural: "deleteoptions", kind: "DeleteOptions" }, "", [
        {
          reason: "FieldValueNotSupported",
          field: "propagationPolicy",
          message: `Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
        },
      ]);
  }
}

function textOf(record: unknown, field: string): string | undefined {
  const value = isRecord(record) ? (record[field] ?? undefined) : undefined;
  if (value !== undefined && typeof value !== "string") throw badRequest(`preconditions.${field} must be a string`);
  return value;
}
