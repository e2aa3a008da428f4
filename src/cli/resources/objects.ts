import { ApiStatusError } from "../../errors/town-error.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import { usageError } from "../exit-codes.ts";
import { pathOf, typeText, withQuery, type ResourceType } from "./discovery.ts";

/** An object as the API sends it; kinds without spec (Event, ConfigMap) are objects too. */
export type ApiObject = Omit<TownObject, "spec"> & { readonly spec?: Readonly<Record<string, unknown>> };

export interface ObjectList {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly resourceVersion?: string };
  readonly items: readonly ApiObject[];
}

interface Selectors {
  readonly labels?: string | undefined;
  readonly fields?: string | undefined;
}

/** Where to look: a namespace, or all of them. */
export interface Scope {
  readonly namespace: string | undefined;
}

/** The objects that match; each with its apiVersion and kind, which a list states only once. */
export async function listObjects(
  api: Api,
  type: ResourceType,
  scope: Scope,
  selectors: Selectors = {},
): Promise<ObjectList> {
  const path = withQuery(pathOf(type, scope), { labelSelector: selectors.labels, fieldSelector: selectors.fields });
  const identity: Partial<ApiObject> = { apiVersion: apiVersionOf(type), kind: type.kind };
  const list = bodyOf<ObjectList>(await api.send({ method: "GET", path }));
  return {
    ...list,
    items: list.items.map((item) => ({ ...identity, ...item })),
  };
}

function apiVersionOf(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}

/** The object; a name without namespace is looked for in all of them. Throws 404 when there is none, a usage error when several. */
export async function getObject(api: Api, type: ResourceType, scope: Scope, name: string): Promise<ApiObject> {
  if (!type.namespaced || scope.namespace !== undefined) {
    const answer = await api.send({ method: "GET", path: pathOf(type, { ...scope, name }) });
    if (answer.status === 404) throw notFound(type, name);
    return bodyOf<ApiObject>(answer);
  }
  const { items } = await listObjects(api, type, scope, { fields: `metadata.name=${name}` });
  const [found, second] = items;
  if (found === undefined) throw notFound(type, name);
  if (second !== undefined) {
    const places = items.map((item) => item.metadata.namespace ?? "").sort();
    throw usageError(
      `${typeText(type)} "${name}" exists in several namespaces: ${places.join(", ")}`,
      `choose one with -n ${places[0]}`,
    );
  }
  return found;
}

export function notFound(type: ResourceType, name: string): ApiStatusError {
  const qualified = type.group === "" ? type.plural : `${type.plural}.${type.group}`;
  return new ApiStatusError(404, "NotFound", `${qualified} "${name}" not found`, {
    details: { name, group: type.group, kind: type.plural },
    hint: `\`town get ${type.plural}\` lists what there is`,
  });
}

/** The object as people read it; managedFields are for server-side apply. */
export function withoutManagedFields(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata as ApiObject["metadata"] & {
    readonly managedFields?: unknown;
  };
  return { ...object, metadata };
}
