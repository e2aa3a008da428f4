import { arch, platform } from "node:os";
import type { MachineUse } from "../ports/machine-use.ts";
import { timestamp } from "../resource/condition.ts";
import type { TownObject } from "../resource/object-meta.ts";
import { tableRenderer } from "../resource/table.ts";
import { type ApiResource, READ_VERBS, selectorPaths } from "./api-resource.ts";

/** Name of the one node: pods say that they run there. */
export const NODE = "localhost";

/** core/v1 Node: the machine that the town runs on, so that `kubectl get nodes` and `kubectl top nodes` work. */
export function nodeResource(machine: Pick<MachineUse, "processors" | "totalMemoryBytes">, nowMs: number): ApiResource {
  return {
    group: "",
    version: "v1",
    apiVersion: "v1",
    kind: "Node",
    listKind: "NodeList",
    plural: "nodes",
    singular: "node",
    shortNames: ["no"],
    categories: [],
    namespaced: false,
    verbs: READ_VERBS,
    table: tableRenderer([
      {
        name: "Status",
        type: "string",
        jsonPath: ".status.conditions[0].type",
        description: "Ready while the town is up.",
      },
      {
        name: "Age",
        type: "date",
        jsonPath: ".metadata.creationTimestamp",
        description: "Time since the controller started.",
      },
    ]),
    selectorPath: selectorPaths(() => undefined),
    storeKind: "Node",
    view: (object) => object,
    fixed: [nodeObject(machine, nowMs)],
    readOnlyReason: "the node is this machine",
  };
}

function nodeObject(machine: Pick<MachineUse, "processors" | "totalMemoryBytes">, nowMs: number): TownObject {
  const resources = { cpu: String(machine.processors), memory: `${Math.floor(machine.totalMemoryBytes / 1024)}Ki` };
  const startTime = timestamp(nowMs);
  const system = platform();
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: NODE,
      uid: "00000000-0000-4000-8000-node-localhost",
      resourceVersion: "1",
      generation: 1,
      creationTimestamp: startTime,
      labels: { "kubernetes.io/hostname": NODE, "kubernetes.io/os": system, "kubernetes.io/arch": arch() },
    },
    spec: {},
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [
        {
          type: "Ready",
          status: "True",
          reason: "TownRuns",
          message: "the town's controller runs on this machine",
          lastTransitionTime: startTime,
        },
      ],
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      nodeInfo: { operatingSystem: system, architecture: arch(), kubeletVersion: "", containerRuntimeVersion: "" },
    },
  };
}
