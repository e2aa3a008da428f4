import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord, DependencyEdge } from "../bead.ts";
import type { GraphIndex } from "../index/graph-index.ts";
import { mintId, nextChildId } from "../ids/mint-id.ts";
import { idInfix } from "../record/bead-types.ts";
import { asRecord, normalisedFields, requireValidFields } from "../record/check-record.ts";
import { parentChild } from "../record/edges.ts";
import { keyOf } from "../record/facts.ts";
import type { ChangeContext } from "./actor.ts";

export interface Minting {
  readonly prefix: string;
  readonly base36: (length: number) => string;
}

/** What a caller states about a new bead: fields of a record, and where it hangs. */
export interface NewBeadFields {
  readonly title: string;
  readonly id?: string;
  readonly parent?: string;
  readonly [field: string]: unknown;
}

const storeFields = ["created_at", "updated_at", "dependencies", "comments"] as const;

/**
 * A new record, without its further dependencies. Defaults: open, priority 2, task; `owner` and `ephemeral` come from the
 * parent. Throws TownError `InvalidBead`, `StoreField`, `AlreadyExists`, `KeyTaken` or `NotFound` (parent).
 */
export function created(index: GraphIndex, bead: NewBeadFields, minting: Minting, context: ChangeContext): BeadRecord {
  const {
    parent: parentId,
    dependsOn: _dependsOn,
    id: givenId,
    ...given
  } = bead as NewBeadFields & { dependsOn?: unknown };
  for (const field of storeFields) {
    if (given[field] !== undefined)
      throw new TownError("StoreField", `Cannot create a bead with \`${field}\`: the store sets it.`, {
        hint: `Leave \`${field}\` out.`,
      });
  }
  const parent = parentId === undefined ? undefined : requireParent(index, parentId);
  const fields = presentFields(normalisedFields(given));
  requireValidFields(
    "create a bead",
    { title: "", ...fields, ...(givenId === undefined ? {} : { id: givenId }) },
    index.statuses,
  );
  const type = typeof fields["issue_type"] === "string" ? fields["issue_type"] : "task";
  const ephemeral = (fields["ephemeral"] ?? parent?.ephemeral) === true;
  const id = givenId ?? newId(index, parentId, idInfix(type, ephemeral), minting);
  if (index.stored(id) !== undefined) {
    throw new TownError("AlreadyExists", `Cannot create bead ${id}: the id is taken.`, {
      hint: "Leave the id out to have one made.",
    });
  }
  const record = asRecord({
    ...presentFields({ owner: parent?.owner, ephemeral: ephemeral || undefined }),
    description: "",
    status: "open",
    priority: 2,
    issue_type: type,
    created_by: context.actor,
    ...fields,
    id,
    created_at: context.stamp,
    updated_at: context.stamp,
  });
  requireFreeKey(index, record);
  return parentId === undefined ? record : { ...record, dependencies: [newEdge(id, parentId, parentChild, context)] };
}

function presentFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

export function requireFreeKey(index: GraphIndex, record: BeadRecord): void {
  const key = keyOf(record);
  if (key === undefined) return;
  for (const other of index.idsByKey(key)) {
    if (other === record.id) continue;
    throw new TownError("KeyTaken", `Cannot give bead ${record.id} the key '${key}': ${other} has it.`, {
      hint: `Use ${other}: it was made for the same purpose.`,
    });
  }
}

function requireParent(index: GraphIndex, id: string): BeadRecord {
  const parent = index.record(id) ?? index.foreign.lookup(id);
  if (typeof parent === "object") return parent;
  throw new TownError("NotFound", `Cannot create a child of ${id}: there is no such bead.`, {
    hint: "`town bd list` shows what exists.",
  });
}

function newId(index: GraphIndex, parentId: string | undefined, infix: string | undefined, minting: Minting): string {
  const taken = (id: string): boolean => index.stored(id) !== undefined;
  // The child of another store's bead belongs to this store, so it gets an id of this store.
  if (parentId?.startsWith(`${minting.prefix}-`) === true)
    return nextChildId(parentId, index.childIds(parentId), taken);
  return mintId({ prefix: minting.prefix, infix, records: index.topLevelCount, taken, base36: minting.base36 });
}

export function newEdge(
  id: string,
  dependsOn: string,
  type: string,
  context: ChangeContext,
  metadata?: string,
): DependencyEdge {
  return {
    issue_id: id,
    depends_on_id: dependsOn,
    type,
    created_at: context.stamp,
    created_by: context.actor,
    ...(metadata === undefined ? {} : { metadata }),
  };
}
