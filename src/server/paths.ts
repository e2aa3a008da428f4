import type { ResourceTarget } from "./api-request.ts";
import type { ApiResource, ResourceCatalog } from "./api-resource.ts";

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
  if (segments.includes("")) return UNKNOWN;
  if (root === "apis") return belowApis(rest, catalog);
  if (root !== "api") return UNKNOWN;
  if (rest.length === 0) return { kind: "Groups", core: true };
  return rest[0] === "v1" ? belowVersion("", "v1", rest.slice(1), catalog) : UNKNOWN;
}

function belowApis([group, version, ...path]: readonly string[], catalog: ResourceCatalog): PathMeaning {
  if (group === undefined) return { kind: "Groups", core: false };
  if (version === undefined) return { kind: "Group", group };
  if (group === VERBS_GROUP && version === "v1alpha1" && path[0] === "verbs" && path.length <= 2) {
    return path[1] === undefined ? { kind: "Verbs" } : { kind: "Verbs", name: path[1] };
  }
  const meaning = belowVersion(group, version, path, catalog);
  const isReview = meaning.kind === "Unknown" && REVIEW_GROUPS.has(group) && path.length === 1;
  return isReview ? { kind: "Review", resource: path[0] ?? "" } : meaning;
}

function belowVersion(group: string, version: string, path: readonly string[], catalog: ResourceCatalog): PathMeaning {
  if (path.length === 0) return { kind: "Version", group, version };
  const ofNamespaces = group === "" && path.length === 3 && isSubresource(path[2]);
  if (path[0] !== "namespaces" || path.length < 3 || ofNamespaces)
    return target(catalog.find(group, version, path[0] ?? ""), undefined, path.slice(1));
  return target(catalog.find(group, version, path[2] ?? ""), path[1], path.slice(3));
}

function target(
  resource: ApiResource | undefined,
  namespace: string | undefined,
  [name, subresource, ...more]: readonly string[],
): PathMeaning {
  if (resource === undefined || more.length > 0) return UNKNOWN;
  const misplaced = resource.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined;
  if (misplaced) return UNKNOWN;
  return {
    kind: "Resource",
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

/** `/api/v1/namespaces/x/status` is about the namespace, not about a resource in it. */
function isSubresource(segment: string | undefined): boolean {
  return segment === "status" || segment === "finalize";
}
