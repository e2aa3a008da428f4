import type { CommandContext, CommandInput } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { ageOf } from "../output/age.ts";
import { coloursWanted } from "../output/colour.ts";
import { jsonPathValues, valueText } from "../output/json-path.ts";
import { tableLines } from "../output/table.ts";
import { discoverTypes } from "../resources/discovery.ts";
import { readyCondition } from "../resources/object-fields.ts";
import { listObjects, type ApiObject } from "../resources/objects.ts";
import { findObjects } from "../resources/writes.ts";

/** Fields that name an object's parent, beside owner references: its name, or `namespace/name`. */
const LINKS: readonly { readonly kind: string; readonly path: string; readonly parent: string }[] = [
  { kind: "Agent", path: ".spec.pool", parent: "AgentPool" },
  { kind: "Session", path: ".spec.agent", parent: "Agent" },
  { kind: "Bead", path: ".spec.parent", parent: "Bead" },
  { kind: "Bead", path: ".status.convoy", parent: "Convoy" },
  { kind: "Molecule", path: ".spec.bead", parent: "Bead" },
  { kind: "MergeRequest", path: ".spec.bead", parent: "Bead" },
];

/** What belongs to the objects named, by owner references and links; a Rig holds what else lives in its namespace. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const roots = await findObjects(api, input, "tree");
  const types = (await discoverTypes(api)).filter(
    ({ verbs, group }) => verbs.includes("list") && /(^|\.)town\.dev$/.test(group),
  );
  const lists = await Promise.all(types.map((type) => listObjects(api, type, { namespace: undefined })));
  const children = childrenByParent(lists.flatMap((list) => list.items));
  const rows = roots.flatMap(({ object }) =>
    branch(object, children, { prefix: "", label: "", seen: new Set() }, context.now()),
  );
  const { streams, env } = context;
  const headers = ["NAMESPACE", "OBJECT", "READY", "REASON", "AGE"];
  streams.out(
    tableLines({ headers, rows }, { colours: coloursWanted(streams.outIsTerminal, env), columns: streams.columns }),
  );
  return EXIT.done;
}

type Children = ReadonlyMap<string, readonly ApiObject[]>;

/** By uid of the parent. */
function childrenByParent(all: readonly ApiObject[]): Children {
  const byPlace = new Map(
    all.map((object) => [placeOf(object.kind, object.metadata.namespace, object.metadata.name), object]),
  );
  const children = new Map<string, ApiObject[]>();
  for (const object of all) {
    for (const parent of parentsOf(object, byPlace)) children.set(parent, [...(children.get(parent) ?? []), object]);
  }
  return children;
}

function parentsOf(object: ApiObject, byPlace: ReadonlyMap<string, ApiObject>): ReadonlySet<string> {
  const { namespace, uid, ownerReferences } = object.metadata;
  const linked = LINKS.filter(({ kind }) => kind === object.kind).flatMap(({ path, parent }) =>
    jsonPathValues(path, object).flatMap((value) => {
      const [place, name] =
        typeof value === "string" && value.includes("/") ? value.split("/") : [namespace, valueText(value)];
      const found = byPlace.get(placeOf(parent, place, name ?? ""));
      return found === undefined ? [] : [found.metadata.uid];
    }),
  );
  const parents = new Set(
    [...(ownerReferences ?? []).map((owner) => owner.uid), ...linked].filter((parent) => parent !== uid),
  );
  const rig = byPlace.get(placeOf("Rig", undefined, namespace ?? ""));
  if (parents.size === 0 && rig !== undefined) parents.add(rig.metadata.uid);
  return parents;
}

function placeOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ""}/${name}`;
}

interface Place {
  /** What stands before the object's own line, and before those of its children. */
  readonly label: string;
  readonly prefix: string;
  readonly seen: ReadonlySet<string>;
}

function branch(object: ApiObject, children: Children, { prefix, label, seen }: Place, nowMs: number): string[][] {
  const ready = readyCondition(object);
  const { namespace, name, uid, creationTimestamp } = object.metadata;
  const row = [
    namespace ?? "<none>",
    `${label}${object.kind}/${name}`,
    ready?.status ?? "<none>",
    ready?.reason ?? "<none>",
    ageOf(creationTimestamp, nowMs),
  ];
  if (seen.has(uid)) return [row];
  const own = children.get(uid) ?? [];
  const below = new Set([...seen, uid]);
  const inner = own.flatMap((child, index) => {
    const [turn, line] = index === own.length - 1 ? ["└─", "  "] : ["├─", "│ "];
    return branch(child, children, { label: `${prefix}${turn}`, prefix: `${prefix}${line}`, seen: below }, nowMs);
  });
  return [row, ...inner];
}
