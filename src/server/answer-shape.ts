import type { TownObject } from "../resource/object-meta.ts";
import type { ApiResource } from "./api-resource.ts";
import { badRequest } from "./status.ts";
import type { Shape } from "./negotiation.ts";

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** How to write objects: shape of the answer, what rows carry, and now for ages. */
export interface Rendering {
  readonly shape: Shape;
  readonly includeObject: "None" | "Metadata" | "Object";
  readonly nowMs: number;
}

const META_V1 = "meta.k8s.io/v1";

export function includeObjectOf(value: string | undefined): Rendering["includeObject"] {
  if (value === undefined || value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw badRequest(`unrecognized includeObject value: "${value}", expected None, Metadata or Object`);
}

export function renderOne(resource: ApiResource, object: TownObject, rendering: Rendering): unknown {
  switch (rendering.shape) {
    case "Table":
      return table(resource, [object], { resourceVersion: object.metadata.resourceVersion }, rendering);
    case "PartialObjectMetadata":
      return partial(object);
    default:
      return object;
  }
}

export function renderList(
  resource: ApiResource,
  items: readonly TownObject[],
  metadata: ListMeta,
  rendering: Rendering,
): unknown {
  switch (rendering.shape) {
    case "Table":
      return table(resource, items, metadata, rendering);
    case "PartialObjectMetadata":
      return { kind: "PartialObjectMetadataList", apiVersion: META_V1, metadata, items: items.map(partial) };
    default:
      return { kind: resource.listKind, apiVersion: resource.apiVersion, metadata, items };
  }
}

/** The object part of a watch event. Only the first of a stream carries column definitions. */
export function renderEvent(resource: ApiResource, object: TownObject, rendering: Rendering, first: boolean): unknown {
  if (rendering.shape !== "Table") return renderOne(resource, object, rendering);
  const rendered = table(resource, [object], { resourceVersion: object.metadata.resourceVersion }, rendering);
  return first ? rendered : { ...rendered, columnDefinitions: null };
}

/** A bookmark: nothing but how far the stream is. */
export function renderBookmark(
  resource: ApiResource,
  resourceVersion: string,
  rendering: Rendering,
  annotations?: Readonly<Record<string, string>>,
): unknown {
  const metadata = { resourceVersion, creationTimestamp: null, ...(annotations === undefined ? {} : { annotations }) };
  if (rendering.shape === "Table") {
    const object = { kind: "PartialObjectMetadata", apiVersion: META_V1, metadata };
    return {
      kind: "Table",
      apiVersion: META_V1,
      metadata: { resourceVersion },
      columnDefinitions: null,
      rows: [{ cells: [], object }],
    };
  }
  if (rendering.shape === "PartialObjectMetadata")
    return { kind: "PartialObjectMetadata", apiVersion: META_V1, metadata };
  return { kind: resource.kind, apiVersion: resource.apiVersion, metadata };
}

function table(resource: ApiResource, items: readonly TownObject[], metadata: ListMeta, rendering: Rendering) {
  const { columnDefinitions } = resource.table;
  const rows = items.map((object) => ({
    cells: resource.table.cells(object, rendering.nowMs),
    object: rowObject(object, rendering.includeObject),
  }));
  return { kind: "Table", apiVersion: META_V1, metadata, columnDefinitions, rows };
}

function rowObject(object: TownObject, include: Rendering["includeObject"]): unknown {
  if (include === "Object") return object;
  return include === "None" ? null : partial(object);
}

function partial(object: TownObject): unknown {
  return { kind: "PartialObjectMetadata", apiVersion: META_V1, metadata: object.metadata };
}
