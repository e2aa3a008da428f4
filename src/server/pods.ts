import { valueAt } from "../resource/json-path.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { plainText } from "../resource/plain-text.ts";
import { type ColumnDefinition, type TableRenderer, tableRenderer } from "../resource/table.ts";
import { NODE } from "./nodes.ts";
import { type ApiResource, READ_VERBS, selectorPaths } from "./api-resource.ts";

/** The one container of every pod. */
export const CONTAINER = "agent";

const POD_FIELDS = new Set(["spec.nodeName", "status.phase", "spec.restartPolicy"]);

/**
 * core/v1 Pod as a read-only view of what runs: same name, namespace and labels as the session, owned by it, with one
 * container `agent`, so that `kubectl get pods`, `describe pod` and `logs` work.
 */
export function podResource(sessionKind: string): ApiResource {
  return {
    group: "",
    version: "v1",
    apiVersion: "v1",
    kind: "Pod",
    listKind: "PodList",
    plural: "pods",
    singular: "pod",
    shortNames: ["po"],
    categories: [],
    namespaced: true,
    verbs: READ_VERBS,
    table: podTable,
    selectorPath: selectorPaths((field) => (POD_FIELDS.has(field) ? `.${field}` : undefined)),
    storeKind: sessionKind,
    view: podOf,
    fixed: [],
    readOnlyReason: `pods show ${sessionKind} objects: \`town handoff --agent NAME\` gives an agent a fresh one, \`town scale\` ends those of a pool, \`town suspend\` keeps more from starting`,
  };
}

function podOf(session: TownObject): TownObject {
  const { metadata } = session;
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels, deletionTimestamp } = metadata;
  const startedAt = plainText(valueAt(session, ".status.startTime")) || creationTimestamp;
  const state = stateOf(session, startedAt);
  const restartCount = Math.max(0, (Number(valueAt(session, ".spec.generation") ?? 1) || 1) - 1);
  const image = plainText(valueAt(session, ".spec.provider") ?? valueAt(session, ".spec.role")) || "town";
  const ready = state.phase === "Running" ? "True" : "False";
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: `pod-${uid}`,
      resourceVersion,
      generation: 1,
      creationTimestamp,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [{ apiVersion: session.apiVersion, kind: session.kind, name, uid, controller: true }],
    },
    spec: {
      containers: [{ name: CONTAINER, image, stdin: true, tty: true }],
      nodeName: NODE,
      restartPolicy: "Always",
    },
    status: {
      phase: state.phase,
      startTime: startedAt,
      conditions: [
        { type: "Ready", status: ready, lastTransitionTime: startedAt },
        { type: "ContainersReady", status: ready, lastTransitionTime: startedAt },
      ],
      containerStatuses: [
        {
          name: CONTAINER,
          image,
          imageID: "",
          ready: ready === "True",
          restartCount,
          state: state.container,
          lastState: {},
        },
      ],
      hostIP: "127.0.0.1",
    },
  };
}

function stateOf(session: TownObject, startedAt: string): { readonly phase: string; readonly container: unknown } {
  const state = plainText(valueAt(session, ".status.state")) || "Running";
  if (state === "Running") return { phase: "Running", container: { running: { startedAt } } };
  if (state !== "Exited")
    return { phase: "Unknown", container: { waiting: { reason: "Unknown", message: "the runtime did not answer" } } };
  const exitCode = Number(valueAt(session, ".status.exitCode") ?? 1);
  const reason = exitCode === 0 ? "Completed" : "Error";
  return {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    container: { terminated: { exitCode, reason, startedAt, finishedAt: startedAt } },
  };
}

const base = tableRenderer([
  {
    name: "Ready",
    type: "string",
    jsonPath: ".status.containerStatuses[0].ready",
    description: "Containers that are ready.",
  },
  { name: "Status", type: "string", jsonPath: ".status.phase", description: "State of the session." },
  {
    name: "Restarts",
    type: "integer",
    jsonPath: ".status.containerStatuses[0].restartCount",
    description: "How often the agent was started again.",
  },
  {
    name: "Age",
    type: "date",
    jsonPath: ".metadata.creationTimestamp",
    description: "Time since the session started.",
  },
]);

const wide: readonly ColumnDefinition[] = [
  { name: "IP", type: "string", format: "", description: "Address; a session has none.", priority: 1 },
  { name: "Node", type: "string", format: "", description: "Machine it runs on.", priority: 1 },
];

const podTable: TableRenderer = {
  columnDefinitions: [...base.columnDefinitions, ...wide],
  cells: (pod, nowMs) => {
    const [name, ready, ...rest] = base.cells(pod, nowMs);
    return [name ?? null, ready === "true" ? "1/1" : "0/1", ...rest, "<none>", NODE];
  },
};
