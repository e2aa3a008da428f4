import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { timestamp } from "../../resource/condition.ts";
import { isReturned } from "../../work/returned.ts";
import { slingOf } from "../../work/sling.ts";
import { attemptsAt, usageAt } from "../../work/ledger.ts";
import { shownUsage } from "../../work/usage.ts";
import { defined, metaNumber, metaText, seconds } from "../../work/record-fields.ts";

/** The Bead object of a record. `ready` is judged at projection time; a deferral that ends is seen at the next change or resync. */
export function projectBead(record: BeadRecord, graph: GraphReader): ProjectedInput {
  const blockers = graph.blockersOf(record.id).map((blocker) => blocker.id);
  const used = shownUsage(usageAt(graph, record));
  const parent = graph.parentOf(record.id);
  const open = record.status === "open";
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    labels: labelsOf(record),
    spec: defined({
      id: record.id,
      title: record.title,
      description: record.description,
      design: record.design,
      acceptance: record.acceptance_criteria,
      notes: record.notes,
      type: record.issue_type,
      priority: record.priority,
      owner: record.owner,
      labels: record.labels,
      parent: parent?.id,
      dependsOn: (record.dependencies ?? [])
        .filter((edge) => edge.type !== "parent-child")
        .map((edge) => ({ id: edge.depends_on_id, type: edge.type })),
    }),
    status: defined({
      state: record.status,
      assignee: record.assignee,
      ready: open && !graph.isBlocked(record.id),
      blockedBy: blockers.length > 0 ? blockers : undefined,
      attempts: metaNumber(record, META.attempts) || undefined,
      molecule: metaText(record, META.molecule),
      mergeRequest: metaText(record, META.mergeRequest),
      convoy: metaText(record, META.convoy),
      createdBy: record.created_by,
      startTime: seconds(record.started_at),
      closedTime: seconds(record.closed_at),
      closeReason: record.close_reason,
      worked: attemptsAt(record).length || undefined,
      usage: used,
      conditions: [
        {
          type: "Closed",
          status: record.status === "closed" ? "True" : "False",
          reason: record.status === "closed" ? "Closed" : "Open",
          message: record.close_reason ?? standing(record, blockers, open && !graph.isBlocked(record.id)),
          lastTransitionTime: seconds(record.closed_at) ?? seconds(record.created_at) ?? timestamp(0),
        },
      ],
    }),
  };
}

/** What an open bead waits for, and what gets it going where nothing will by itself. */
function standing(record: BeadRecord, blockers: readonly string[], ready: boolean): string {
  if (record.status !== "open") return `the bead is ${record.status}${record.assignee ? ` by ${record.assignee}` : ""}`;
  if (blockers.length > 0)
    return `open; waits for ${blockers.slice(0, 3).join(", ")}${blockers.length > 3 ? " …" : ""}`;
  if (!ready) return "open; not ready yet";
  if (isReturned(record)) return `ready; it was sent back and goes on the hook of ${record.assignee ?? ""} again`;
  const convoy = metaText(record, META.convoy);
  if (convoy !== undefined) return `ready; asked for by convoy ${convoy}`;
  if (slingOf(record) !== undefined) return "ready; the next free worker takes it";
  return `ready, but no agent is asked to do it: town sling ${record.id}`;
}

/** Labels by which `-l` finds work objects. */
export function labelsOf(record: BeadRecord): Record<string, string> {
  const convoy = metaText(record, META.convoy)?.split("/");
  return defined({
    "town.dev/convoy": convoy?.[1],
    "town.dev/type": /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(record.issue_type)
      ? record.issue_type
      : undefined,
    "town.dev/state": record.status,
  }) as Record<string, string>;
}
