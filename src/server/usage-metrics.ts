import { ApiStatusError } from "../errors/town-error.ts";
import type { MachineReading, MachineUse, Use } from "../ports/machine-use.ts";
import type { ObjectStore } from "../ports/object-store.ts";
import { timestamp } from "../resource/condition.ts";
import { valueAt } from "../resource/json-path.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { tableRenderer } from "../resource/table.ts";
import { booleanParameter, type ResourceRequest } from "./api-request.ts";
import { type ApiResource, selectorPaths } from "./api-resource.ts";
import { renderList, renderOne } from "./answer-shape.ts";
import { NODE } from "./nodes.ts";
import { CONTAINER } from "./pods.ts";
import { renderingOf, selected } from "./reading.ts";
import { selectionOf } from "./selection.ts";
import { notFound } from "./status.ts";
import type { Answer } from "./writing-context.ts";
import type { Clock } from "../ports/clock.ts";

const METRICS = {
  group: "metrics.k8s.io",
  version: "v1beta1",
  apiVersion: "metrics.k8s.io/v1beta1",
  shortNames: [],
  categories: [],
  verbs: ["get", "list"],
  selectorPath: selectorPaths(() => undefined),
  fixed: [],
  readOnlyReason: "metrics are measured",
} as const;

const CPU = { name: "Cpu", type: "string", description: "Processors, on the average over the window." } as const;
const MEMORY = { name: "Memory", type: "string", description: "Memory in use." } as const;

/**
 * `metrics.k8s.io/v1beta1`, as `kubectl top` reads it: what the processes of sessions (as pods) and the machine (as the one
 * node) take. Nothing is measured unless somebody asks.
 */
export function metricsResources(sessionKind: string): readonly ApiResource[] {
  return [
    {
      ...METRICS,
      kind: "PodMetrics",
      listKind: "PodMetricsList",
      plural: "pods",
      singular: "",
      namespaced: true,
      table: tableRenderer([
        { ...CPU, jsonPath: ".containers[0].usage.cpu" },
        { ...MEMORY, jsonPath: ".containers[0].usage.memory" },
      ]),
      storeKind: sessionKind,
      view: (session) => session,
    },
    {
      ...METRICS,
      kind: "NodeMetrics",
      listKind: "NodeMetricsList",
      plural: "nodes",
      singular: "",
      namespaced: false,
      table: tableRenderer([
        { ...CPU, jsonPath: ".usage.cpu" },
        { ...MEMORY, jsonPath: ".usage.memory" },
      ]),
      storeKind: "Node",
      view: (object) => object,
    },
  ];
}

interface Measuring {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly machine: MachineUse;
}

/** The answer to a GET of metrics; undefined for every other resource. The caller may read them. */
export function measured(at: Measuring, request: ResourceRequest): Promise<Answer> | undefined {
  if (request.resource.group !== METRICS.group) return undefined;
  if (booleanParameter(request.query, "watch"))
    throw new ApiStatusError(405, "MethodNotAllowed", "metrics cannot be watched: ask again");
  return request.resource.kind === "NodeMetrics" ? nodes(at, request) : sessions(at, request);
}

async function sessions(at: Measuring, request: ResourceRequest): Promise<Answer> {
  const { resource } = request;
  const selection = selectionOf(request, request.query);
  const reading = await at.machine.read();
  // A session that ended meanwhile, or whose end nobody saw yet, takes nothing that could be told.
  const items = selected(at.store, resource, selection).items.flatMap((session) => {
    const pid = valueAt(session, ".status.pid");
    const isRunning = valueAt(session, ".status.state") === "Running";
    const use = isRunning && typeof pid === "number" ? reading.treeOf(pid) : undefined;
    return use === undefined ? [] : [podMetrics(session, use, reading)];
  });
  return answer(at, request, items);
}

async function nodes(at: Measuring, request: ResourceRequest): Promise<Answer> {
  const selection = selectionOf(request, request.query);
  const reading = await at.machine.read();
  const node = {
    ...metricsOf(request.resource, NODE, reading),
    usage: quantities(reading.machine),
  } as unknown as TownObject;
  return answer(at, request, selection.matches(node) ? [node] : []);
}

function answer(at: Measuring, request: ResourceRequest, items: readonly TownObject[]): Answer {
  const { resource, name } = request;
  const rendering = renderingOf(request, at.clock);
  if (name === undefined)
    return { code: 200, body: renderList(resource, items, { resourceVersion: at.store.currentVersion() }, rendering) };
  const [one] = items;
  if (one === undefined) throw notFound(resource, name);
  return { code: 200, body: renderOne(resource, one, rendering) };
}

function podMetrics(session: TownObject, use: Use, reading: MachineReading): TownObject {
  const { name, namespace, labels } = session.metadata;
  const object = metricsOf({ kind: "PodMetrics" }, name, reading);
  return {
    ...object,
    metadata: {
      ...object.metadata,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
    },
    containers: [{ name: CONTAINER, usage: quantities(use) }],
  } as unknown as TownObject;
}

function metricsOf({ kind }: { readonly kind: string }, name: string, reading: MachineReading) {
  const at = timestamp(reading.atMs);
  return {
    apiVersion: METRICS.apiVersion,
    kind,
    metadata: { name, creationTimestamp: at },
    timestamp: at,
    window: `${(reading.windowMs / 1_000).toFixed(1)}s`,
  };
}

function quantities({ cpuMilli, memoryBytes }: Use): { readonly cpu: string; readonly memory: string } {
  return { cpu: `${cpuMilli}m`, memory: `${Math.round(memoryBytes / 1024)}Ki` };
}
