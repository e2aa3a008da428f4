import type { Api } from "../connection/api.ts";
import { bodyOf } from "../connection/api-status.ts";
import { usageError } from "../exit-codes.ts";
import { nearest } from "./nearest.ts";

/** A resource type as the server announces it. */
export interface ResourceType {
  /** Empty for the core group. */
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

interface DiscoveryList {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly { readonly version: string; readonly resources?: readonly DiscoveredResource[] }[];
  }[];
}

interface DiscoveredResource {
  readonly resource: string;
  readonly singularResource?: string;
  readonly scope: "Cluster" | "Namespaced";
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly responseKind?: { readonly kind: string };
  readonly verbs: readonly string[];
  readonly subresources?: readonly { readonly subresource: string }[];
}

const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/**
 * All types, those of Town's own groups first, so that a short name means Town's kind where others use it too. With the
 * arguments of a command, the core group is left out unless they name something that the others lack.
 */
export async function discoverTypes(api: Api, args?: readonly string[]): Promise<readonly ResourceType[]> {
  const read = async (path: string): Promise<ResourceType[]> =>
    typesOf(bodyOf<DiscoveryList>(await api.send({ method: "GET", path, accept: ACCEPT })));
  const groups = await read("/apis");
  // Their plurals are those of the objects that they measure.
  const measured = groups.filter((type) => type.group === "metrics.k8s.io");
  const others = groups.filter((type) => !measured.includes(type));
  const core = args !== undefined && areNamed(args, others) ? [] : await read("/api");
  const types = [...others, ...core, ...measured];
  return [...types.filter(isTowns), ...types.filter((type) => !isTowns(type))];
}

/** The words of `TYPE,TYPE NAME…` or `TYPE/NAME…` that stand for types. */
function typeWords(args: readonly string[]): readonly string[] {
  const words = args.some((arg) => arg.includes("/"))
    ? args.map((arg) => arg.split("/")[0] ?? "")
    : (args[0] ?? "").split(",");
  return words.filter((word) => word !== "");
}

/** True when every type that the arguments name is among these. */
export function areNamed(args: readonly string[], types: readonly ResourceType[]): boolean {
  return typeWords(args).every((word) => isNamed(word, types));
}

function isNamed(word: string, types: readonly ResourceType[]): boolean {
  const wanted = word.toLowerCase();
  return types.some((type) => hasName(type, wanted) || type.categories.includes(wanted));
}

function typesOf(list: DiscoveryList): ResourceType[] {
  return (list.items ?? []).flatMap((group) => {
    const preferred = group.versions[0];
    return (preferred?.resources ?? []).map((resource) => ({
      group: group.metadata?.name ?? "",
      version: preferred?.version ?? "",
      kind: resource.responseKind?.kind ?? resource.resource,
      plural: resource.resource,
      singular: resource.singularResource ?? "",
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      namespaced: resource.scope === "Namespaced",
      verbs: resource.verbs,
      subresources: (resource.subresources ?? []).map((sub) => sub.subresource),
    }));
  });
}

function isTowns(type: ResourceType): boolean {
  return type.group === "town.dev" || type.group.endsWith(".town.dev");
}

/** The types that a word names: one for a plural, singular, kind, short name or `plural.group`, several for a category. Throws usage errors. */
export function typesNamed(word: string, types: readonly ResourceType[]): readonly ResourceType[] {
  const wanted = word.toLowerCase();
  const exact = types.find((type) => namesOf(type).includes(wanted)) ?? types.find((type) => hasName(type, wanted));
  if (exact !== undefined) return [exact];
  const category = types.filter((type) => type.categories.includes(wanted) && type.verbs.includes("list"));
  if (category.length > 0) return category;
  const close = nearest(wanted, [
    ...new Set(types.flatMap((type) => [type.plural, type.singular, ...type.shortNames])),
  ]);
  throw usageError(
    `the server doesn't have a resource type "${word}"`,
    close === undefined
      ? "`town api-resources` lists the types"
      : `did you mean "${close}"? \`town api-resources\` lists the types`,
  );
}

function namesOf(type: ResourceType): string[] {
  const dotted = [type.plural, type.singular].flatMap((name) => [
    name,
    `${name}.${type.group}`,
    `${name}.${type.version}.${type.group}`,
  ]);
  const kind = type.kind.toLowerCase();
  return [...dotted, kind, `${kind}.${type.group}`, ...type.shortNames];
}

/** Under one of its names, or the plural that people make of a short one: `pools`. */
function hasName(type: ResourceType, wanted: string): boolean {
  return namesOf(type).includes(wanted) || type.shortNames.some((name) => `${name}s` === wanted);
}

/** `agentpool.town.dev`, as messages name an object's type. */
export function typeText(type: ResourceType): string {
  const name = type.singular === "" ? type.kind.toLowerCase() : type.singular;
  return type.group === "" ? name : `${name}.${type.group}`;
}

/** `/apis/G/V[/namespaces/NS]/PLURAL[/NAME[/SUBRESOURCE]]`. */
export function pathOf(
  type: ResourceType,
  place: { readonly namespace?: string | undefined; readonly name?: string; readonly subresource?: string },
): string {
  const parts = [type.group === "" ? "/api" : `/apis/${type.group}`, type.version];
  if (type.namespaced && place.namespace !== undefined) parts.push("namespaces", encodeURIComponent(place.namespace));
  parts.push(type.plural);
  if (place.name !== undefined) parts.push(encodeURIComponent(place.name));
  if (place.subresource !== undefined) parts.push(place.subresource);
  return parts.join("/");
}

/** A path with its query; undefined values are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? path : `${path}?${parts.join("&")}`;
}
