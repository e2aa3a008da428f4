import { ApiStatusError } from "../errors/town-error.ts";

/** A resource as discovery describes it. */
export interface DiscoveredResource {
  /** "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly string[];
}

interface AggregatedResource {
  readonly resource: string;
  readonly singularResource: string;
  readonly scope: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly responseKind: { readonly kind: string };
  readonly verbs: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

interface DiscoveryList {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources: readonly AggregatedResource[] }[];
  }[];
}

/** Accept header for aggregated discovery. */
export const DISCOVERY_ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

export function resourcesOf(body: unknown): readonly DiscoveredResource[] {
  return (body as DiscoveryList).items.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ version, resources }) =>
      resources.map((resource) => ({
        group: metadata.name ?? "",
        version,
        kind: resource.responseKind.kind,
        plural: resource.resource,
        singular: resource.singularResource,
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        namespaced: resource.scope === "Namespaced",
        verbs: resource.verbs,
        subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
      })),
    ),
  );
}

/**
 * The resource a person means by `widgets`, `widget`, `wi`, `Widget` or `widgets.town.dev`. Throws ApiStatusError 404 with
 * the nearest names.
 */
export function findResource(resources: readonly DiscoveredResource[], name: string): DiscoveredResource {
  const wanted = name.toLowerCase();
  const found = resources.find((resource) => namesOf(resource).includes(wanted));
  if (found !== undefined) return found;
  const near = resources.flatMap(namesOf).filter((known) => known.length > 2 && distance(known, wanted) <= 2);
  throw new ApiStatusError(404, "NotFound", `the server doesn't have a resource type "${name}"`, {
    hint:
      near.length > 0
        ? `Did you mean ${[...new Set(near)].slice(0, 3).join(", ")}?`
        : "`town api-resources` lists them.",
  });
}

function namesOf({ plural, singular, shortNames, kind, group, version }: DiscoveredResource): readonly string[] {
  const dotted = group === "" ? [] : [`${plural}.${group}`, `${plural}.${version}.${group}`, `${singular}.${group}`];
  return [plural, singular, ...shortNames, kind.toLowerCase(), ...dotted];
}

/** Edit distance, for short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
