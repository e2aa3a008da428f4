import type { ResourceTarget } from "./api-request.ts";
import type { ResourceCatalog } from "./api-resource.ts";

/** What a path below `/api` or `/apis` means. */
export type PathMeaning =
  | { readonly kind: "Groups"; readonly core: boolean }
  | { readonly kind: "Group"; readonly group: string }
  | { readonly kind: "Version"; readonly group: string; readonly version: string }
  | { readonly kind: "Verbs"; readonly name?: string }
  | { readonly kind: "Review"; readonly resource: string }
  | ({ readonly kind: "Resource" } & ResourceTarget)
  | { readonly kind: "Unknown" };

const UNKNOWN: PathMeaning = { kind: "Unknown" };
const VERBS_GROUP = "work.town.dev";
const REVIEW_GROUPS = new Set(["authorization.k8s.io", "authentication.k8s.io"]);

/** Reads a decoded path, split at slashes. */
export function meaningOf(segments: readonly string[], catalog: ResourceCatalog): PathMeaning {
  const [root, ...rest] = segments;
  if (segments.some((segment) => segment === "")) return UNKNOWN;
  if (root === "api") {
    if (rest.length === 0) return { kind: "Groups", core: true };
    return rest[0] === "v1" ? versionMeaning("", "v1", rest.slice(1), catalog) : UNKNOWN;
  }
  if (root !== "apis") return UNKNOWN;
  const [group, version, ...path] = rest;
  if (group === undefined) return { kind: "Groups", core: false };
  if (version === undefined) return { kind: "Group", group };
  if (group === VERBS_GROUP && version === "v1alpha1" && path[0] === "verbs" && path.length <= 2) {
    return path[1] === undefined ? { kind: "Verbs" } : { kind: "Verbs", name: path[1] };
  }
  if (REVIEW_GROUPS.has(group) && path.length === 1) return { kind: "Review", resource: path[0] ?? "" };
  return versionMeaning(group, version, path, catalog);
}

function versionMeaning(
  group: string,
  version: string,
  path: readonly string[],
  catalog: ResourceCatalog,
): PathMeaning {
  if (path.length === 0) return { kind: "Version", group, version };
  const inNamespace =
    path[0] === "namespaces" &&
    path.length >= 3 &&
    !(group === "" && path.length === 3 && isSubresource(path[2] ?? ""));
  const [namespace, [plural, name, subresource, ...more]] = inNamespace ? [path[1], path.slice(2)] : [undefined, path];
  const resource = catalog.find(group, version, plural ?? "");
  if (resource === undefined || more.length > 0) return UNKNOWN;
  if (namespace !== undefined && !resource.namespaced) return UNKNOWN;
  if (namespace === undefined && resource.namespaced && name !== undefined) return UNKNOWN;
  return {
    kind: "Resource",
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** `/api/v1/namespaces/x/status` is about the namespace, not about a resource in it. */
function isSubresource(segment: string): boolean {
  return segment === "status" || segment === "finalize";
}
