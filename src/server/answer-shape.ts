import { Buffer } from "node:buffer";
import type { TownObject } from "../resource/object-meta.ts";
import type { ApiResource } from "./api-resource.ts";
import { bytesOfFrozen, JsonBytes, withList } from "./json-bytes.ts";
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

export function renderOne(resource: ApiResource, object: TownObject, rendering: Rendering): JsonBytes {
  return renderEvent(resource, object, rendering, true);
}

export function renderList(
  resource: ApiResource,
  items: readonly TownObject[],
  metadata: ListMeta,
  rendering: Rendering,
): JsonBytes {
  if (rendering.shape === "Table") return table(resource, items, metadata, rendering, true);
  const isPartial = rendering.shape === "PartialObjectMetadata";
  const kind = isPartial ? "PartialObjectMetadataList" : resource.listKind;
  const apiVersion = isPartial ? META_V1 : resource.apiVersion;
  const written = items.map((object) => (isPartial ? partial(object) : [bytesOfFrozen(object)]));
  return withList({ kind, apiVersion, metadata }, "items", written);
}

/** The object part of a watch event. Only the first of a stream carries column definitions. */
export function renderEvent(
  resource: ApiResource,
  object: TownObject,
  rendering: Rendering,
  first: boolean,
): JsonBytes {
  const { resourceVersion } = object.metadata;
  switch (rendering.shape) {
    case "Table":
      return table(resource, [object], { resourceVersion }, rendering, first);
    case "PartialObjectMetadata":
      return new JsonBytes(partial(object));
    default:
      return new JsonBytes([bytesOfFrozen(object)]);
  }
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

function table(
  resource: ApiResource,
  items: readonly TownObject[],
  metadata: ListMeta,
  rendering: Rendering,
  withColumns: boolean,
): JsonBytes {
  const columnDefinitions = withColumns ? resource.table.columnDefinitions : null;
  const head = JSON.stringify({ kind: "Table", apiVersion: META_V1, metadata, columnDefinitions });
  const parts: Uint8Array[] = [];
  // What is written here between two objects that are written already.
  let text = `${head.slice(0, -1)},"rows":[`;
  let separator = "";
  for (const object of items) {
    const cells = JSON.stringify(resource.table.cells(object, rendering.nowMs));
    const [before, bytes, after] = rowObject(object, rendering.includeObject);
    parts.push(Buffer.from(`${text}${separator}{"cells":${cells},"object":${before}`), bytes);
    text = `${after}}`;
    separator = ",";
  }
  parts.push(Buffer.from(`${text}]}`));
  return new JsonBytes(parts);
}

/** What stands before the bytes of a row's object, the bytes, and what stands after them. */
function rowObject(object: TownObject, include: Rendering["includeObject"]): readonly [string, Uint8Array, string] {
  if (include === "Object") return ["", bytesOfFrozen(object), ""];
  return include === "None" ? ["null", NOTHING, ""] : [PARTIAL, bytesOfFrozen(object.metadata), "}"];
}

function partial({ metadata }: TownObject): readonly Uint8Array[] {
  return [Buffer.from(PARTIAL), bytesOfFrozen(metadata), END];
}

const PARTIAL = `{"kind":"PartialObjectMetadata","apiVersion":"${META_V1}","metadata":`;
const END = Buffer.from("}");
const NOTHING = new Uint8Array();
