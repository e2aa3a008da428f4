import type { BeadRecord } from "../bead.ts";
import type { StatusBook } from "../record/statuses.ts";
import { isSettled, standardStatuses } from "../record/statuses.ts";
import type { GraphView } from "./graph-view.ts";
import { descendantsOf } from "./graph-view.ts";

export interface EpicStatus {
  readonly epic: BeadRecord;
  readonly children: number;
  readonly closedChildren: number;
  /** Everything below it, nested epics apart: what there is to do. */
  readonly work: number;
  readonly closedWork: number;
  /** It has children and all are closed. */
  readonly closable: boolean;
  /** It has no children yet. */
  readonly needsDecomposition: boolean;
}

/** How far an epic is. */
export function epicStatus(view: GraphView, epic: BeadRecord, statuses: StatusBook = standardStatuses): EpicStatus {
  const children = view.childrenOf(epic.id);
  const work = descendantsOf(view, epic.id).filter(({ issue_type: type }) => type !== "epic");
  const settled = (records: readonly BeadRecord[]): number =>
    records.filter(({ status }) => isSettled(status, statuses)).length;
  const closedChildren = settled(children);
  return {
    epic,
    children: children.length,
    closedChildren,
    work: work.length,
    closedWork: settled(work),
    closable: children.length > 0 && closedChildren === children.length && !isSettled(epic.status, statuses),
    needsDecomposition: children.length === 0 && !isSettled(epic.status, statuses),
  };
}

/** All open epics with how far they are, in id order. */
export function openEpics(view: GraphView, statuses: StatusBook = standardStatuses): readonly EpicStatus[] {
  return view
    .list({ type: ["epic"] })
    .filter(({ status, is_template: template }) => !isSettled(status, statuses) && template !== true)
    .map((epic) => epicStatus(view, epic, statuses));
}
