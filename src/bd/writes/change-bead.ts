import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { isClaimed } from "../../domain/work-graph/record/facts.ts";
import type { BeadPatch, GraphTransaction } from "../../ports/work-graph.ts";
import { mayForce, requireMayChange, requireMaySetMetadata, requireNotOnHook } from "../access/limits.ts";
import { requireIn } from "../access/find-bead.ts";
import type { Call } from "../command.ts";
import { connect } from "./create-bead.ts";

/** A change of one bead, as `update` states it. Absent parts leave things as they are. */
export interface BeadChange {
  readonly claim?: boolean;
  /** Length of the claim's lease, ms; default that of the store. */
  readonly leaseMs?: number;
  readonly patch?: BeadPatch;
  /** Put behind what the notes hold, on a line of its own. */
  readonly appendNotes?: string;
  readonly addLabels?: readonly string[];
  readonly removeLabels?: readonly string[];
  readonly setMetadata?: Readonly<Record<string, unknown>>;
  readonly unsetMetadata?: readonly string[];
  /** Id of the new parent; `""` for none. */
  readonly parent?: string;
  readonly force?: boolean;
}

type Changing = Pick<Call, "context" | "author">;

/** Applies a change and returns the record. Throws what the rules of the work graph and the caller's limits throw. */
export function changeBead(tx: GraphTransaction, id: string, change: BeadChange, by: Changing): BeadRecord {
  const before = requireIn(tx, id);
  requireMayChange(by, before, "change");
  if (change.claim === true)
    tx.claim(id, by.author.actor, change.leaseMs === undefined ? {} : { leaseMs: change.leaseMs });
  const patch = patchOf(before, change);
  if (Object.keys(patch).length > 0) {
    if (before.assignee === by.author.actor && isClaimed(before) && givesUp(before, patch)) requireNotOnHook(by, id);
    requireMaySetMetadata(by, Object.keys(patch.metadata ?? {}));
    tx.update(id, patch, { force: change.force === true && mayForce(by, before) });
    if (patch.status !== undefined) by.context.changedStatus?.(tx, id);
  }
  for (const label of change.addLabels ?? []) tx.addLabel(id, label);
  for (const label of change.removeLabels ?? []) tx.removeLabel(id, label);
  const metadata = {
    ...change.setMetadata,
    ...Object.fromEntries((change.unsetMetadata ?? []).map((key) => [key, null])),
  };
  if (Object.keys(metadata).length > 0) {
    requireMaySetMetadata(by, Object.keys(metadata));
    tx.setMetadata(id, metadata);
  }
  if (change.parent !== undefined) moveBelow(tx, id, change.parent);
  return requireIn(tx, id);
}

function patchOf(before: BeadRecord, { patch = {}, appendNotes }: BeadChange): BeadPatch {
  if (appendNotes === undefined) return patch;
  const known = patch.notes ?? before.notes ?? "";
  return { ...patch, notes: known === "" ? appendNotes : `${known}\n${appendNotes}` };
}

function givesUp(before: BeadRecord, patch: BeadPatch): boolean {
  const status = patch.status ?? before.status;
  const isKept = status === "in_progress" || status === "hooked";
  return !isKept || ("assignee" in patch && (patch.assignee ?? "") !== before.assignee);
}

/** Hangs a bead below another parent, or below none; its id stays. */
export function moveBelow(tx: GraphTransaction, id: string, parent: string): void {
  const edge = requireIn(tx, id).dependencies?.find(({ type }) => type === "parent-child");
  if (edge?.depends_on_id === parent) return;
  if (edge !== undefined) tx.removeDependency(id, edge.depends_on_id);
  if (parent !== "") connect(tx, id, { other: parent, type: "parent-child", direction: "Outgoing" });
}
