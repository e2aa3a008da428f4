import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { isDeferred } from "../../domain/work-graph/index/readiness.ts";
import { compareIds } from "../../domain/work-graph/ids/mint-id.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { Paint } from "./paint.ts";
import { priorityText, statusIcon } from "./paint.ts";
import { cleanLine, cut, displayWidth } from "./plain-text.ts";

export interface LineStyle {
  readonly paint: Paint;
  /** Undefined: nothing is cut. */
  readonly columns: number | undefined;
  /** ms; what is put off until later shows as deferred. */
  readonly now: number;
}

/** What stands in front of a bead's line and right behind its title. */
export interface LineParts {
  readonly lead?: string;
  readonly note?: string;
}

/** `○ api-x7 [P1] [bug] @toast - Title (note) [label, …]`: one bead in one line; the title is cut to make it fit. */
export function beadLine(record: BeadRecord, { paint, columns, now }: LineStyle, parts: LineParts = {}): string {
  const holder = record.assignee ?? "";
  const isPutOff = record.status === "open" && isDeferred(record, now);
  const lead = [
    `${parts.lead ?? ""}${statusIcon(isPutOff ? "deferred" : record.status, paint)}`,
    paint("bold", cleanLine(record.id)),
    `[${priorityText(record.priority, paint)}]`,
    ...(record.issue_type === "task" ? [] : [paint("dim", `[${cleanLine(record.issue_type)}]`)]),
    ...(holder === "" ? [] : [paint("cyan", `@${cleanLine(holder)}`)]),
    "-",
  ].join(" ");
  const labels = (record.labels ?? []).map(cleanLine);
  const note = parts.note === undefined ? "" : ` ${parts.note}`;
  const room = columns === undefined ? undefined : Math.max(12, columns - displayWidth(lead) - displayWidth(note) - 1);
  const title = cut(cleanLine(record.title), room);
  const tail = labels.length === 0 ? "" : ` [${labels.join(", ")}]`;
  const fits = room === undefined || displayWidth(title) + displayWidth(tail) <= room;
  const shownTitle = record.status === "closed" ? paint("dim", title) : title;
  return `${lead} ${shownTitle}${note === "" ? "" : paint("dim", note)}${fits ? paint("dim", tail) : ""}`;
}

/** `api-x7 P1 open Title`: the least an agent needs. */
export function briefLine(record: BeadRecord): string {
  return `${cleanLine(record.id)} P${record.priority} ${record.status} ${cut(cleanLine(record.title), 80)}`;
}

const namedBlockers = 2;

/** What an open bead waits for, so that a list tells it from one that can start. */
export function waitNote(record: BeadRecord, graph: GraphReader): LineParts {
  const blockers = record.status === "open" ? graph.blockersOf(record.id) : [];
  if (blockers.length === 0) return {};
  const named = blockers.slice(0, namedBlockers).map(({ id }) => cleanLine(id));
  return { note: `(blocked by ${named.join(", ")}${blockers.length > named.length ? ", …" : ""})` };
}

/** Lines with children below their parents where both are shown; the given order decides among equals. */
export function treeLines(
  records: readonly BeadRecord[],
  graphOf: (record: BeadRecord) => GraphReader,
  style: LineStyle,
): readonly string[] {
  const shown = new Set(records.map(({ id }) => id));
  const children = new Map<string, BeadRecord[]>();
  const roots: BeadRecord[] = [];
  for (const record of records) {
    const parent = graphOf(record).parentOf(record.id)?.id;
    const siblings = parent === undefined ? undefined : children.get(parent);
    if (parent === undefined || parent === record.id || !shown.has(parent)) roots.push(record);
    else if (siblings === undefined) children.set(parent, [record]);
    else siblings.push(record);
  }
  const lines: string[] = [];
  const printed = new Set<string>();
  const print = (record: BeadRecord, lead: string, below: string): void => {
    if (printed.has(record.id)) return;
    printed.add(record.id);
    lines.push(beadLine(record, style, { lead, ...waitNote(record, graphOf(record)) }));
    const own = (children.get(record.id) ?? []).toSorted((a, b) => compareIds(a.id, b.id));
    own.forEach((child, i) => {
      const isLast = i === own.length - 1;
      print(child, `${below}${isLast ? "└── " : "├── "}`, `${below}${isLast ? "    " : "│   "}`);
    });
  };
  for (const root of roots) print(root, "", "");
  // A circle of parents has no root.
  for (const record of records) print(record, "", "");
  return lines;
}
