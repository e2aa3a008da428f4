import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { usageAt } from "../../work/ledger.ts";
import { addUsage, NO_USAGE, type Usage } from "../../work/usage.ts";
import type { TownSpec } from "../town/town.schema.ts";
import type { ConvoyItem, ConvoySpec, ConvoyStatus } from "./convoy.schema.ts";

export type ConvoyObject = TownObject<ConvoySpec, ConvoyStatus>;

export interface ObservedItem {
  readonly name: string;
  readonly rig: string;
  readonly bead: BeadRecord | undefined;
  readonly state: "Missing" | "Waiting" | "Ready" | "Working" | "Merging" | "Closed" | "Deferred" | "Blocked";
  /** Ids of the beads of the items it depends on, as far as they exist. */
  readonly needs: readonly string[];
}

export interface ConvoyObserved {
  readonly now: number;
  readonly owner: string | undefined;
  readonly items: readonly ObservedItem[];
  readonly rigsMissing: readonly string[];
  readonly rigsNotReady: readonly string[];
  readonly used: Usage;
  /** Open, unstarted beads that carry this convoy but are no items of it any more. */
  readonly dropped: readonly { readonly rig: string; readonly id: string }[];
}

export function convoyName(object: ConvoyObject): string {
  return `${object.metadata.namespace ?? "hq"}/${object.metadata.name}`;
}

export function itemKey(object: ConvoyObject, item: string): string {
  return `convoy/${convoyName(object)}/${item}`;
}

export function rigOfItem(object: ConvoyObject, item: ConvoyItem): string {
  return item.rig ?? object.metadata.namespace ?? "hq";
}

export function observeConvoy(object: ConvoyObject, ports: LoopPorts): Promise<ConvoyObserved> {
  const rigs = [...new Set(object.spec.items.map((item) => rigOfItem(object, item)))];
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const records = new Map(object.spec.items.map((item) => [item.name, recordOf(object, item, ports)]));
  const items = object.spec.items.map((item): ObservedItem => {
    const rig = rigOfItem(object, item);
    const bead = records.get(item.name);
    const graph = ports.graphs.graph(rig);
    return {
      name: item.name,
      rig,
      bead,
      state: bead === undefined || graph === undefined ? "Missing" : stateOf(bead, graph),
      needs: (item.dependsOn ?? []).flatMap((need) => records.get(need)?.id ?? []),
    };
  });
  return Promise.resolve({
    now: ports.clock.now(),
    owner: object.spec.owner ?? town?.spec.owner,
    items,
    rigsMissing: rigs.filter((rig) => rig !== "hq" && ports.objects.get({ kind: "Rig", name: rig }) === undefined),
    rigsNotReady: rigs.filter((rig) => ports.graphs.graph(rig) === undefined),
    used: items.reduce((sum, { rig, bead }) => {
      const graph = ports.graphs.graph(rig);
      return graph === undefined ? sum : addUsage(sum, usageAt(graph, bead));
    }, NO_USAGE),
    dropped: droppedBeads(object, ports),
  });
}

function recordOf(object: ConvoyObject, item: ConvoyItem, ports: LoopPorts): BeadRecord | undefined {
  if (item.bead !== undefined) return ports.graphs.graphOf(item.bead)?.get(item.bead);
  return ports.graphs.graph(rigOfItem(object, item))?.byKey(itemKey(object, item.name));
}

export function stateOf(bead: BeadRecord, graph: GraphReader): ObservedItem["state"] {
  if (bead.status === "closed") return "Closed";
  if (bead.status === "deferred") return "Deferred";
  if (bead.status === "blocked") return "Blocked";
  if (bead.status !== "open") return "Working";
  const request = bead.metadata?.[META.mergeRequest];
  if (typeof request === "string" && graph.get(request)?.status !== "closed") return "Merging";
  return graph.isBlocked(bead.id) ? "Waiting" : "Ready";
}

function droppedBeads(object: ConvoyObject, ports: LoopPorts): ConvoyObserved["dropped"] {
  const mine = convoyName(object);
  const keys = new Set(object.spec.items.map((item) => itemKey(object, item.name)));
  return ports.graphs.all().flatMap((graph) =>
    graph
      .list({ status: ["open"], metadata: { [META.convoy]: mine } })
      .filter((record) => record.assignee === undefined && record.issue_type !== "merge-request")
      .filter(
        (record) => typeof record.metadata?.[META.key] === "string" && !keys.has(String(record.metadata[META.key])),
      )
      .map((record) => ({ rig: graph.namespace, id: record.id })),
  );
}
