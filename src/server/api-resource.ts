import type { WatchEvent } from "../ports/objects.ts";
import type { KindDefinition, ScaleSubresource } from "../resource/kind-definition.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { type TableRenderer, tableRenderer } from "../resource/table.ts";
import type { ResourceName } from "./status.ts";

/** One resource of the API, whether a registered kind or a view on one (Pods on sessions, namespaces on rigs). */
export interface ApiResource extends ResourceName {
  readonly version: string;
  readonly apiVersion: string;
  readonly listKind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly table: TableRenderer;
  /** JSON path of a field selector's field; undefined when it cannot be selected by. */
  selectorPath(field: string): string | undefined;
  /** The kind whose objects in the store this shows. */
  readonly storeKind: string;
  /** The object as this resource shows it. */
  view(object: TownObject): TownObject;
  /** Objects that are always there, besides those of the store. */
  readonly fixed: readonly TownObject[];
  /** Present for registered kinds: what may be written, and how it is checked. */
  readonly definition?: KindDefinition;
  readonly scale?: ScaleSubresource;
  /** Why it cannot be written through this resource. */
  readonly readOnlyReason?: string;
}

export const READ_VERBS = ["get", "list", "watch"];
export const ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/** Every selectable field beside those every resource has. */
const COMMON_SELECTORS: Readonly<Record<string, string>> = {
  "metadata.name": ".metadata.name",
  "metadata.namespace": ".metadata.namespace",
};

export function resourceOfKind(definition: KindDefinition, writable: boolean): ApiResource {
  const selectable = new Set((definition.selectableFields ?? []).map((path) => path.replace(/^\./, "")));
  return {
    group: definition.group,
    version: definition.version,
    apiVersion: `${definition.group}/${definition.version}`,
    kind: definition.kind,
    listKind: `${definition.kind}List`,
    plural: definition.plural,
    singular: definition.singular,
    shortNames: definition.shortNames,
    categories: definition.categories,
    namespaced: definition.scope === "Namespaced",
    verbs: writable ? ALL_VERBS : READ_VERBS,
    table: tableRenderer(definition.columns),
    selectorPath: selectorPaths((field) => (selectable.has(field) ? `.${field}` : undefined)),
    storeKind: definition.kind,
    view: (object) => object,
    fixed: [],
    definition,
    ...(definition.scale === undefined ? {} : { scale: definition.scale }),
  };
}

export function selectorPaths(more: (field: string) => string | undefined): (field: string) => string | undefined {
  return (field) => (Object.hasOwn(COMMON_SELECTORS, field) ? COMMON_SELECTORS[field] : more(field));
}

/** A store event as the resource's watchers see it. */
export function viewOfEvent(resource: ApiResource, event: WatchEvent): WatchEvent {
  const { type, object, previous } = event;
  return {
    type,
    object: resource.view(object),
    ...(previous === undefined ? {} : { previous: resource.view(previous) }),
  };
}

/** All resources of the API, by path. */
export interface ResourceCatalog {
  readonly resources: readonly ApiResource[];
  find(group: string, version: string, plural: string): ApiResource | undefined;
  hasGroupVersion(group: string, version: string): boolean;
}

export function resourceCatalog(resources: readonly ApiResource[]): ResourceCatalog {
  const byPath = new Map(
    resources.map((resource) => [`${resource.group}/${resource.version}/${resource.plural}`, resource]),
  );
  const versions = new Set(resources.map(({ group, version }) => `${group}/${version}`));
  return {
    resources,
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    hasGroupVersion: (group, version) => versions.has(`${group}/${version}`),
  };
}
