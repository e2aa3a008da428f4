import { ApiStatusError } from "../errors/town-error.ts";
import type { Clock } from "../ports/clock.ts";
import type { ListPage, ObjectStore } from "../ports/object-store.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { includeObjectOf, type ListMeta, type Rendering, renderList, renderOne } from "./answer-shape.ts";
import { integerParameter, type ResourceRequest } from "./api-request.ts";
import type { ApiResource } from "./api-resource.ts";
import type { PinnedLists } from "./continue-token.ts";
import { shapeOf } from "./negotiation.ts";
import { type Selection, selectionOf } from "./selection.ts";
import { badRequest, expired, notFound, tooLargeVersion } from "./status.ts";

export interface Reading {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly pins: PinnedLists;
}

export function renderingOf(request: ResourceRequest, clock: Clock): Rendering {
  return {
    shape: shapeOf(request.header("accept")),
    includeObject: includeObjectOf(request.query.get("includeObject") ?? undefined),
    nowMs: clock.now(),
  };
}

/** The object as the resource shows it; undefined when there is none. */
export function findObject(
  store: ObjectStore,
  resource: ApiResource,
  namespace: string | undefined,
  name: string,
): TownObject | undefined {
  const key = { kind: resource.storeKind, name, ...(namespace === undefined ? {} : { namespace }) };
  const object = store.get(key);
  if (object !== undefined) return resource.view(object);
  return resource.fixed.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
}

export function requireObject(store: ObjectStore, request: ResourceRequest): TownObject {
  const name = request.name ?? "";
  const object = findObject(store, request.resource, request.namespace, name);
  if (object === undefined) throw notFound(request.resource, name);
  return object;
}

export function readOne(reading: Reading, request: ResourceRequest): unknown {
  const rendering = renderingOf(request, reading.clock);
  requireReachedVersion(reading.store, request.query);
  return renderOne(request.resource, requireObject(reading.store, request), rendering);
}

export function readList(reading: Reading, request: ResourceRequest): unknown {
  const rendering = renderingOf(request, reading.clock);
  const selection = selectionOf(request, request.query);
  const limit = integerParameter(request.query, "limit") ?? 0;
  const token = request.query.get("continue") ?? "";
  requireMatchRules(request.query);
  if (token !== "") return nextPage(reading, request, { token, limit, rendering });
  requireReachedVersion(reading.store, request.query);
  const { items, resourceVersion } = selected(reading.store, request.resource, selection);
  if (limit === 0 || items.length <= limit) return renderList(request.resource, items, { resourceVersion }, rendering);
  const id = reading.pins.pin(items, resourceVersion);
  const metadata: ListMeta = {
    resourceVersion,
    continue: reading.pins.token(id, limit),
    remainingItemCount: items.length - limit,
  };
  return renderList(request.resource, items.slice(0, limit), metadata, rendering);
}

/** Everything a selection means now, sorted by namespace and name, with the store's version. */
export function selected(store: ObjectStore, resource: ApiResource, selection: Selection): ListPage {
  const { items, resourceVersion } = store.snapshot(resource.storeKind, selection.namespace);
  const shown = withFixed(resource, items);
  if (selection.everything) return { items: shown, resourceVersion };
  if (selection.name !== undefined && selection.namespace !== undefined) {
    const one = findObject(store, resource, selection.namespace, selection.name);
    return { items: one !== undefined && selection.matches(one) ? [one] : [], resourceVersion };
  }
  return { items: shown.filter((object) => selection.matches(object)), resourceVersion };
}

function withFixed(resource: ApiResource, items: readonly TownObject[]): readonly TownObject[] {
  const shown = resource.definition === undefined ? items.map((object) => resource.view(object)) : items;
  if (resource.fixed.length === 0) return shown;
  return [...shown, ...resource.fixed].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

function nextPage(
  reading: Reading,
  request: ResourceRequest,
  page: { readonly token: string; readonly limit: number; readonly rendering: Rendering },
): unknown {
  if ((request.query.get("resourceVersion") ?? "") !== "")
    throw badRequest("specifying resource version is not allowed when using continue");
  const { items, resourceVersion, offset, id } = reading.pins.resume(page.token);
  const end = page.limit === 0 ? items.length : offset + page.limit;
  const rest = items.length - end;
  const metadata: ListMeta =
    rest > 0
      ? { resourceVersion, continue: reading.pins.token(id, end), remainingItemCount: rest }
      : { resourceVersion };
  return renderList(request.resource, items.slice(offset, end), metadata, page.rendering);
}

/** What `resourceVersionMatch` may be; a real API server refuses the rest in the same words. Throws 422. */
function requireMatchRules(query: URLSearchParams): void {
  const match = query.get("resourceVersionMatch") ?? "";
  if (match === "") return;
  const version = query.get("resourceVersion") ?? "";
  if ((query.get("continue") ?? "") !== "")
    throw wrongMatch("Forbidden: resourceVersionMatch is forbidden when continue is provided");
  if (version === "")
    throw wrongMatch("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (match !== "Exact" && match !== "NotOlderThan")
    throw wrongMatch(`Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`);
  if (match === "Exact" && version === "0")
    throw wrongMatch('Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
}

function wrongMatch(why: string): ApiStatusError {
  const field = "resourceVersionMatch";
  return new ApiStatusError(422, "Invalid", `ListOptions.meta.k8s.io "" is invalid: ${field}: ${why}`, {
    causes: [
      { reason: why.startsWith("Forbidden") ? "FieldValueForbidden" : "FieldValueNotSupported", message: why, field },
    ],
  });
}

/** `resourceVersion` of a read: the store always answers its newest, so only versions it cannot have are refused. */
function requireReachedVersion(store: ObjectStore, query: URLSearchParams): void {
  const version = query.get("resourceVersion") ?? "";
  if (version === "" || version === "0") return;
  const current = store.currentVersion();
  if (parseVersion(version) > Number(current)) throw tooLargeVersion();
  if (query.get("resourceVersionMatch") === "Exact" && version !== current) {
    throw expired(`The resourceVersion for the provided list is too old: only the current one (${current}) is kept.`);
  }
}

/** Throws 400 for text that is no version. */
export function parseVersion(version: string): number {
  if (!/^\d{1,16}$/.test(version))
    throw badRequest(`resourceVersion: Invalid value: "${version}": must be a version as the server gave it`);
  return Number(version);
}
