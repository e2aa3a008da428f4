import { timestamp } from "../resource/condition.ts";
import { humanDuration } from "../resource/human-duration.ts";
import { valueAt } from "../resource/json-path.ts";
import type { ObjectMeta, TownObject } from "../resource/object-meta.ts";
import { plainText } from "../resource/plain-text.ts";
import { type Cell, type ColumnDefinition, type TableRenderer, tableRenderer } from "../resource/table.ts";
import { type ApiResource, READ_VERBS, selectorPaths } from "./api-resource.ts";

/** Namespaces that belong to no rig. */
export const BUILT_IN_NAMESPACES = ["default", "hq"] as const;

const CORE = { group: "", version: "v1", apiVersion: "v1", categories: [], verbs: READ_VERBS, shortNames: [] } as const;

/** core/v1 Namespace: one per object of the kind that owns namespaces, and the built-in ones. */
export function namespaceResource(ownerKind: string, nowMs: number): ApiResource {
  return {
    ...CORE,
    kind: "Namespace",
    listKind: "NamespaceList",
    plural: "namespaces",
    singular: "namespace",
    shortNames: ["ns"],
    namespaced: false,
    table: tableRenderer([
      { name: "Status", type: "string", jsonPath: ".status.phase", description: "Whether objects can be made in it." },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "Time since it was created." },
    ]),
    selectorPath: selectorPaths((field) => (field === "status.phase" ? ".status.phase" : undefined)),
    storeKind: ownerKind,
    view: ({ metadata }) => namespaceObject(metadata),
    fixed: BUILT_IN_NAMESPACES.map((name) =>
      namespaceObject({
        name,
        uid: `00000000-0000-4000-8000-namespace-${name}`,
        resourceVersion: "1",
        generation: 1,
        creationTimestamp: timestamp(nowMs),
      }),
    ),
    readOnlyReason: `namespaces belong to ${ownerKind} objects: create or delete the ${ownerKind} of that name instead; ${BUILT_IN_NAMESPACES.join(" and ")} are built in`,
  };
}

function namespaceObject(metadata: ObjectMeta): TownObject {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels } = metadata;
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      uid,
      resourceVersion,
      generation: 1,
      creationTimestamp,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      labels: { ...labels, "kubernetes.io/metadata.name": name },
    },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: deletionTimestamp === undefined ? "Active" : "Terminating" },
  };
}

/** core/v1 Service: there are none; `kubectl cluster-info` asks for them. */
export function serviceResource(): ApiResource {
  return {
    ...CORE,
    kind: "Service",
    listKind: "ServiceList",
    plural: "services",
    singular: "service",
    shortNames: ["svc"],
    namespaced: true,
    table: tableRenderer([]),
    selectorPath: selectorPaths(() => undefined),
    storeKind: "Service",
    view: (object) => object,
    fixed: [],
    readOnlyReason: "a town has no services",
  };
}

const EVENT_FIELDS = new Set([
  "reason",
  "type",
  "reportingComponent",
  "source",
  ...["kind", "name", "namespace", "uid", "apiVersion", "resourceVersion", "fieldPath"].map(
    (field) => `involvedObject.${field}`,
  ),
]);

/** core/v1 Event, as `kubectl describe` and `kubectl events` read it. */
export function eventResource(): ApiResource {
  return {
    ...CORE,
    kind: "Event",
    listKind: "EventList",
    plural: "events",
    singular: "event",
    shortNames: ["ev"],
    namespaced: true,
    table: eventTable,
    selectorPath: selectorPaths((field) =>
      EVENT_FIELDS.has(field) ? (field === "source" ? ".source.component" : `.${field}`) : undefined,
    ),
    storeKind: "Event",
    view: (object) => object,
    fixed: [],
    readOnlyReason: "events are written by the server and by loops",
  };
}

const column = (name: string, description: string, priority = 0, format = ""): ColumnDefinition => ({
  name,
  type: "string",
  format,
  description,
  priority,
});

const eventTable: TableRenderer = {
  columnDefinitions: [
    column("Last Seen", "Time since it last happened."),
    column("Type", "Normal or Warning."),
    column("Reason", "One word-group for what happened."),
    column("Object", "What it happened to."),
    column("Subobject", "Part of the object.", 1),
    column("Source", "Who reported it.", 1),
    column("Message", "What happened."),
    column("First Seen", "Time since it first happened.", 1),
    column("Count", "How often it happened.", 1),
    column("Name", "Name of the event.", 1, "name"),
  ],
  cells: (event, nowMs) => {
    const text = (path: string): Cell => plainText(valueAt(event, path));
    const age = (path: string): Cell => humanDuration(nowMs - Date.parse(plainText(valueAt(event, path))));
    const object = `${String(text(".involvedObject.kind")).toLowerCase()}/${String(text(".involvedObject.name"))}`;
    return [
      age(".lastTimestamp"),
      text(".type"),
      text(".reason"),
      object,
      "",
      text(".source.component"),
      text(".message"),
      age(".firstTimestamp"),
      text(".count"),
      event.metadata.name,
    ];
  },
};
