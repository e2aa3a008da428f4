import type { Condition } from "../../resource/condition.ts";
import type { CommandContext, CommandInput } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { ageOf } from "../output/age.ts";
import { coloursWanted } from "../output/colour.ts";
import { tableLines } from "../output/table.ts";
import { discoverTypes } from "../resources/discovery.ts";
import { listObjects, type ApiObject } from "../resources/objects.ts";
import { findObjects } from "../resources/writes.ts";

/** Objects below the ones named, by owner references; a Rig also shows what lives in its namespace without an owner. */
export async function run(input: CommandInput, context: CommandContext): Promise<number> {
  const api = context.api();
  const roots = await findObjects(api, input, "tree");
  const types = (await discoverTypes(api)).filter(
    (type) => type.verbs.includes("list") && (type.group === "town.dev" || type.group.endsWith(".town.dev")),
  );
  const lists = await Promise.all(types.map((type) => listObjects(api, type, { namespace: undefined })));
  const all = lists.flatMap((list) => list.items);
  const rows = roots.flatMap(({ object }) =>
    branch(object, all, { prefix: "", label: "", seen: new Set() }, context.now()),
  );
  const { streams, env } = context;
  streams.out(
    tableLines(
      { headers: ["NAMESPACE", "OBJECT", "READY", "REASON", "AGE"], rows },
      { colours: coloursWanted(streams.outIsTerminal, env), columns: streams.columns },
    ),
  );
  return EXIT.done;
}

interface Place {
  /** What stands before the object's own line, and before those of its children. */
  readonly label: string;
  readonly prefix: string;
  readonly seen: ReadonlySet<string>;
}

function branch(
  object: ApiObject,
  all: readonly ApiObject[],
  { prefix, label, seen }: Place,
  nowMs: number,
): string[][] {
  const ready = conditionsOf(object).find((condition) => condition.type === "Ready");
  const { namespace, name, uid, creationTimestamp } = object.metadata;
  const row = [
    namespace ?? "<none>",
    `${label}${object.kind}/${name}`,
    ready?.status ?? "<none>",
    ready?.reason ?? "<none>",
    ageOf(creationTimestamp, nowMs),
  ];
  if (seen.has(uid)) return [row];
  const children = childrenOf(object, all);
  const below = new Set([...seen, uid]);
  const inner = children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    return branch(
      child,
      all,
      { label: `${prefix}${isLast ? "└─" : "├─"}`, prefix: `${prefix}${isLast ? "  " : "│ "}`, seen: below },
      nowMs,
    );
  });
  return [row, ...inner];
}

function childrenOf(object: ApiObject, all: readonly ApiObject[]): readonly ApiObject[] {
  return all.filter((candidate) => {
    const owners = candidate.metadata.ownerReferences ?? [];
    if (owners.some((owner) => owner.uid === object.metadata.uid)) return true;
    return object.kind === "Rig" && owners.length === 0 && candidate.metadata.namespace === object.metadata.name;
  });
}

function conditionsOf(object: ApiObject): readonly Condition[] {
  return (object.status as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
}
