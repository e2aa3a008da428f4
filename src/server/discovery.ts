import type { ApiResource, ResourceCatalog } from "./api-resource.ts";
import { discoveryVersions } from "./negotiation.ts";

/** An answer of discovery with the content type that clients insist on. */
export interface DiscoveryAnswer {
  readonly contentType: string;
  readonly body: unknown;
}

const SUPPORTED = ["v2", "v2beta1"];

interface Subresource {
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** `/api` (group "") and `/apis` (all others): aggregated where the client asks for a version of it, else the plain list. */
export function discoverGroups(catalog: ResourceCatalog, accept: string | undefined, core: boolean): DiscoveryAnswer {
  const version = discoveryVersions(accept).find((wanted) => SUPPORTED.includes(wanted));
  const groups = groupsOf(catalog).filter((group) => (group === "") === core);
  if (version !== undefined) {
    const items = groups.map((group) => ({
      metadata: group === "" ? {} : { name: group },
      versions: versionsOf(catalog, group).map((groupVersion) => aggregated(catalog, group, groupVersion)),
    }));
    return {
      contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
      body: { kind: "APIGroupDiscoveryList", apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items },
    };
  }
  if (core) return json({ kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] });
  return json({ kind: "APIGroupList", apiVersion: "v1", groups: groups.map((group) => groupBody(catalog, group)) });
}

/** `/apis/<group>`; undefined for a group that is not served. */
export function discoverGroup(catalog: ResourceCatalog, group: string): unknown {
  if (group === "" || !groupsOf(catalog).includes(group)) return undefined;
  return { kind: "APIGroup", apiVersion: "v1", ...groupBody(catalog, group) };
}

/** `/api/v1` and `/apis/<group>/<version>`. */
export function discoverVersion(catalog: ResourceCatalog, group: string, version: string): unknown {
  if (!catalog.hasGroupVersion(group, version)) return undefined;
  const resources = inVersion(catalog, group, version).flatMap((resource) => [
    {
      name: resource.plural,
      singularName: resource.singular,
      namespaced: resource.namespaced,
      kind: resource.kind,
      verbs: resource.verbs,
      ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
      ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    },
    ...subresourcesOf(resource).map((sub) => ({
      name: `${resource.plural}/${sub.name}`,
      singularName: "",
      namespaced: resource.namespaced,
      kind: sub.kind,
      verbs: sub.verbs,
      ...(sub.group === resource.group && sub.version === resource.version
        ? {}
        : { group: sub.group, version: sub.version }),
    })),
  ]);
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources,
  };
}

function aggregated(catalog: ResourceCatalog, group: string, version: string) {
  const resources = inVersion(catalog, group, version).map((resource) => ({
    resource: resource.plural,
    singularResource: resource.singular,
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
    responseKind: { group: resource.group, version: resource.version, kind: resource.kind },
    verbs: resource.verbs,
    ...withSubresources(resource),
  }));
  return { version, freshness: "Current", resources };
}

function withSubresources(resource: ApiResource) {
  const subresources = subresourcesOf(resource).map(({ name, group, version, kind, verbs }) => ({
    subresource: name,
    responseKind: { group, version, kind },
    verbs,
  }));
  return subresources.length === 0 ? {} : { subresources };
}

/** Subresources as discovery lists them. */
export function subresourcesOf(resource: ApiResource): readonly Subresource[] {
  const { group, version, kind } = resource;
  const verbs = resource.verbs.includes("patch") ? ["get", "patch", "update"] : ["get"];
  if (resource.definition === undefined)
    return resource.kind === "Pod" ? [{ name: "log", group, version, kind, verbs: ["get"] }] : [];
  const status = { name: "status", group, version, kind, verbs };
  return resource.scale === undefined
    ? [status]
    : [status, { name: "scale", group: "autoscaling", version: "v1", kind: "Scale", verbs }];
}

function groupBody(catalog: ResourceCatalog, group: string) {
  const versions = versionsOf(catalog, group).map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
}

function groupsOf(catalog: ResourceCatalog): readonly string[] {
  return [...new Set(catalog.resources.map(({ group }) => group))];
}

function versionsOf(catalog: ResourceCatalog, group: string): readonly string[] {
  return [...new Set(catalog.resources.filter((resource) => resource.group === group).map(({ version }) => version))];
}

function inVersion(catalog: ResourceCatalog, group: string, version: string): readonly ApiResource[] {
  return catalog.resources.filter((resource) => resource.group === group && resource.version === version);
}

function json(body: unknown): DiscoveryAnswer {
  return { contentType: "application/json", body };
}
