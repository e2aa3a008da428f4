import type { Clock } from "../ports/clock.ts";
import type { ObjectStore, TruthWriter } from "../ports/object-store.ts";
import type { Events } from "../ports/objects.ts";
import type { Random } from "../ports/random.ts";
import type { ErrorCause } from "../errors/town-error.ts";
import { readOnlyText } from "../resource/desired-origin.ts";
import type { KindDefinition, Truth } from "../resource/kind-definition.ts";
import { isHeldAnnotation } from "../resource/held-annotation.ts";
import type { ObjectKey, ObjectMeta, TownObject } from "../resource/object-meta.ts";
import type { ResourceRequest } from "./api-request.ts";
import type { ApiResource } from "./api-resource.ts";
import type { KeyLock } from "./key-lock.ts";
import { forbidden, invalid, methodNotAllowed } from "./status.ts";

/** What writes need. */
export interface Writing {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly locks: KeyLock;
  readonly events: Events;
  readonly writers: Partial<Readonly<Record<Truth, TruthWriter>>>;
  /** Throws unless objects may be made in that namespace. */
  requireNamespace(namespace: string): void;
  /** What is wrong with the name of a new object besides its form. */
  nameCauses(definition: KindDefinition, name: string): readonly ErrorCause[];
}

/** A resource that can be written in principle. */
export type WritableResource = ApiResource & { readonly definition: KindDefinition };

export interface Answer {
  readonly code: number;
  readonly body: unknown;
  readonly warnings?: readonly string[];
}

export function writable(request: ResourceRequest): WritableResource {
  const { resource } = request;
  if (resource.definition === undefined)
    throw forbidden(resource, request.name ?? "", resource.readOnlyReason ?? "it is read-only");
  return resource as WritableResource;
}

/** The writer of a kind's truth. Throws 405 with the reason when there is none. */
export function writerOf(writing: Writing, resource: WritableResource): TruthWriter {
  const { truth, kind, plural } = resource.definition;
  const writer = writing.writers[truth];
  if (writer !== undefined) return writer;
  const why =
    truth === "Observed"
      ? `${kind} objects show what was observed and cannot be written`
      : `no writer for its truth (${truth}) is available on this server`;
  throw methodNotAllowed(`${plural} cannot be written: ${why}`);
}

/** `dryRun` of query and body. Throws 422 for values other than All. */
export function isDryRun(request: ResourceRequest, fromBody?: unknown): boolean {
  const values = [...request.query.getAll("dryRun"), ...(Array.isArray(fromBody) ? fromBody.map(String) : [])].filter(
    (value) => value !== "",
  );
  const wrong = values.find((value) => value !== "All");
  if (wrong === undefined) return values.length > 0;
  throw invalid({ group: "meta.k8s.io", plural: "options", kind: "Options" }, "", [
    {
      reason: "FieldValueNotSupported",
      field: "dryRun",
      message: `Unsupported value: "${wrong}": supported values: "All"`,
    },
  ]);
}

export function keyOfTarget(resource: ApiResource, namespace: string | undefined, name: string): ObjectKey {
  return namespace === undefined ? { kind: resource.kind, name } : { kind: resource.kind, namespace, name };
}

/** Objects of a read-only Source are changed where they come from. */
export function requireOwnSource(writing: Writing, resource: ApiResource, key: ObjectKey): void {
  const origin = writing.store.originOf(key);
  if (origin?.readOnly !== true) return;
  throw forbidden(resource, key.name, readOnlyText(origin));
}

/** The object without what lives in the journal: as its truth holds it. */
export function truthPart(object: TownObject): TownObject {
  const { annotations, ...metadata } = object.metadata;
  const own = Object.entries(annotations ?? {}).filter(([name]) => !isHeldAnnotation(name));
  return {
    ...object,
    metadata: { ...metadata, ...(own.length === 0 ? {} : { annotations: Object.fromEntries(own) }) },
  };
}

/** A body as its author wrote it: identity, labels, annotations and spec, nothing of the server's. */
export function statedPart(
  body: Readonly<Record<string, unknown>>,
  metadata: Partial<ObjectMeta>,
): Readonly<Record<string, unknown>> {
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !isHeldAnnotation(name));
  return {
    apiVersion: body["apiVersion"],
    kind: body["kind"],
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    },
    ...(body["spec"] === undefined ? {} : { spec: body["spec"] }),
  };
}

/** Leaves an Event on the object: who did what, from where. */
export function audit(
  writing: Writing,
  request: ResourceRequest,
  object: TownObject,
  did: { readonly reason: string; readonly message: string },
): void {
  const { caller } = request;
  const { name, namespace, uid } = object.metadata;
  writing.events.record(
    { kind: object.kind, name, uid, ...(namespace === undefined ? {} : { namespace }) },
    {
      type: "Normal",
      reason: did.reason,
      message: `${caller.name}${caller.origin === undefined ? "" : ` (${caller.origin})`} ${did.message}`,
      actor: caller.name,
    },
  );
}
