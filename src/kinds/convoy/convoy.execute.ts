import { META } from "../../domain/work-graph/bead.ts";
import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { GraphTransaction } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { convoyName, type ConvoyObject, itemKey, rigOfItem } from "./convoy.observe.ts";
import { type ConvoyAction, specOf, statedFields } from "./convoy.plan.ts";
import type { ConvoyItem } from "./convoy.schema.ts";

const AUTHOR = { actor: "loop/convoys" };

export async function executeConvoy(action: ConvoyAction, object: ConvoyObject, ports: LoopPorts): Promise<void> {
  const graph = ports.graphs.graph(action.rig);
  if (graph === undefined) throw new WaitingError("RigNotReady", `the work graph of ${action.rig} is not open`, 1_000);
  switch (action.do) {
    case "DeclareItems": {
      const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
      const owner = object.spec.owner ?? town?.spec.owner;
      const elsewhere = idsElsewhere(object, action.rig, ports);
      await graph.transact(AUTHOR, (tx) => {
        const names = action.items.filter(
          (name) => specOf(object, name)?.dependsOn?.every((need) => elsewhere.get(need) !== null) ?? true,
        );
        declareItems(tx, object, names, owner);
        linkItems(tx, object, names, elsewhere);
      });
      return;
    }
    case "Defer":
      await graph.transact(AUTHOR, (tx) => {
        for (const id of action.beads) {
          const record = tx.get(id);
          if (record?.status === "open" && record.assignee === undefined) {
            tx.update(id, { status: "deferred" });
            tx.comment(id, `Deferred: ${action.reason} (${convoyName(object)}).`);
          }
        }
      });
      return;
    default:
      return action satisfies never;
  }
}

function declareItems(
  tx: GraphTransaction,
  object: ConvoyObject,
  names: readonly string[],
  owner: string | undefined,
): void {
  for (const name of names) {
    const spec = specOf(object, name);
    if (spec === undefined) continue;
    const key = itemKey(object, name);
    const former = tx.byKey(key);
    if (former === undefined) {
      tx.create({
        title: name,
        issue_type: "task",
        priority: 2,
        ...statedFields(spec),
        ...(owner === undefined ? {} : { owner }),
        metadata: { [META.key]: key, [META.convoy]: convoyName(object) },
      });
    } else if (former.status !== "closed") {
      tx.update(
        former.id,
        { ...statedFields(spec), ...(former.status === "deferred" ? { status: "open" } : {}) },
        { force: true },
      );
    }
  }
}

/** Beads of the items that live in other rigs; null while they do not exist. Items of this rig are not in the map. */
function idsElsewhere(object: ConvoyObject, rig: string, ports: LoopPorts): ReadonlyMap<string, string | null> {
  const ids = new Map<string, string | null>();
  for (const item of object.spec.items) {
    const home = rigOfItem(object, item);
    if (item.bead !== undefined) ids.set(item.name, item.bead);
    else if (home !== rig) ids.set(item.name, ports.graphs.graph(home)?.byKey(itemKey(object, item.name))?.id ?? null);
  }
  return ids;
}

/** Edges between items in the transaction that makes them, so that no item is ready before what it waits for is known. */
function linkItems(
  tx: GraphTransaction,
  object: ConvoyObject,
  names: readonly string[],
  elsewhere: ReadonlyMap<string, string | null>,
): void {
  const idOf = (name: string): string | undefined => elsewhere.get(name) ?? tx.byKey(itemKey(object, name))?.id;
  const siblings = new Set(object.spec.items.flatMap((item: ConvoyItem) => idOf(item.name) ?? []));
  for (const name of names) {
    const needs = specOf(object, name)?.dependsOn;
    const record = tx.byKey(itemKey(object, name));
    if (needs === undefined || record === undefined || record.status === "closed") continue;
    const wanted = new Set(needs.flatMap((need) => idOf(need) ?? []));
    const held = new Set((record.dependencies ?? []).map((edge) => edge.depends_on_id));
    for (const id of wanted) if (!held.has(id)) tx.addDependency(record.id, id, "blocks");
    for (const id of held) if (siblings.has(id) && !wanted.has(id)) tx.removeDependency(record.id, id);
  }
}
