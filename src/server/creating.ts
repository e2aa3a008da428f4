import { timestamp } from "../resource/condition.ts";
import { dnsLabelCauses, nameCauses } from "../resource/names.ts";
import type { ErrorCause } from "../errors/town-error.ts";
import type { ObjectMeta, TownObject } from "../resource/object-meta.ts";
import { admitBody, admitSpec, type Admitted, fieldValidationOf } from "./admission.ts";
import type { ResourceRequest } from "./api-request.ts";
import { findObject } from "./reading.ts";
import { readObject } from "./request-body.ts";
import { alreadyExists, badRequest, conflict, invalid } from "./status.ts";
import { storeHeldParts } from "./updating.ts";
import {
  type Answer,
  audit,
  isDryRun,
  keyOfTarget,
  statedPart,
  truthPart,
  writable,
  type WritableResource,
  writerOf,
  type Writing,
} from "./writing-context.ts";

const GENERATED_LENGTH = 5;

/** POST of a collection. Answers 201 with the object. */
export async function create(writing: Writing, request: ResourceRequest): Promise<Answer> {
  const resource = writable(request);
  const writer = writerOf(writing, resource);
  const dryRun = isDryRun(request);
  const { object: body, duplicates } = await readObject(request);
  const admitted = admitBody(resource, body, { validation: fieldValidationOf(request.query), duplicates });
  const namespace = namespaceOf(writing, request, admitted);
  const name = nameOf(writing, resource, admitted);
  const spec = admitSpec(resource, admitted, name, nameProblems(writing, resource, admitted, name));
  const key = keyOfTarget(resource, namespace, name);
  return writing.locks.run(`${resource.kind} ${namespace ?? ""} ${name}`, async () => {
    const former = findObject(writing.store, resource, namespace, name);
    if (former?.metadata.deletionTimestamp !== undefined)
      throw conflict(
        resource,
        name,
        `object is being deleted: ${resource.plural}.${resource.group} "${name}" already exists`,
      );
    if (former !== undefined) throw alreadyExists(resource, name);
    const wanted = newObject(
      writing,
      resource,
      { ...admitted.metadata, name, ...(namespace === undefined ? {} : { namespace }) },
      spec,
    );
    const stated = statedPart(admitted.stated, wanted.metadata);
    await writer.write({ caller: request.caller, key, before: undefined, after: truthPart(wanted), stated, dryRun });
    if (dryRun) return { code: 201, body: wanted, warnings: admitted.warnings };
    const made = writing.store.get(key);
    if (made !== undefined) await storeHeldParts(writing, key, made, wanted);
    const object = writing.store.get(key) ?? wanted;
    audit(writing, request, object, { reason: "Created", message: "created it" });
    return { code: 201, body: object, warnings: admitted.warnings };
  });
}

function newObject(
  writing: Writing,
  resource: WritableResource,
  metadata: Partial<ObjectMeta> & { readonly name: string },
  spec: TownObject["spec"],
): TownObject {
  const { name, namespace, generateName, labels, annotations, finalizers, ownerReferences } = metadata;
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    metadata: {
      name,
      ...(generateName === undefined ? {} : { generateName }),
      ...(namespace === undefined ? {} : { namespace }),
      uid: writing.random.uuid(),
      resourceVersion: "",
      generation: 1,
      creationTimestamp: timestamp(writing.clock.now()),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec,
  };
}

function namespaceOf(writing: Writing, request: ResourceRequest, { metadata }: Admitted): string | undefined {
  if (!request.resource.namespaced) {
    if (metadata.namespace !== undefined)
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    return undefined;
  }
  if (request.namespace === undefined) throw badRequest("an empty namespace may not be set during creation");
  if (metadata.namespace !== undefined && metadata.namespace !== request.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  writing.requireNamespace(request.namespace);
  return request.namespace;
}

function nameOf(writing: Writing, resource: WritableResource, { metadata }: Admitted): string {
  if (metadata.name !== undefined) return metadata.name;
  if (metadata.generateName === undefined) {
    throw invalid(resource, "", [
      {
        reason: "FieldValueRequired",
        field: "metadata.name",
        message: "Required value: name or generateName is required",
      },
    ]);
  }
  return `${metadata.generateName.slice(0, 253 - GENERATED_LENGTH)}${writing.random.base36(GENERATED_LENGTH)}`;
}

function nameProblems(
  writing: Writing,
  resource: WritableResource,
  { metadata }: Admitted,
  name: string,
): readonly ErrorCause[] {
  const field = metadata.name === undefined ? "metadata.generateName" : "metadata.name";
  const form = nameCauses(name, field);
  return form.length > 0 ? form : writing.nameCauses(resource.definition, name);
}

/** What a name must be that becomes a namespace. */
export function namespaceNameCauses(name: string, reserved: readonly string[]): readonly ErrorCause[] {
  const form = dnsLabelCauses(name);
  if (form.length > 0) return form;
  if (!reserved.includes(name) && !name.startsWith("kube-")) return [];
  return [
    {
      reason: "FieldValueForbidden",
      field: "metadata.name",
      message: `Forbidden: '${name}' is a built-in namespace: choose another name, also not ${reserved.join(", ")} or kube-*`,
    },
  ];
}
