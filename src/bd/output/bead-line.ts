import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { compareIds } from "../../domain/work-graph/ids/mint-id.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { Paint } from "./paint.ts";
import { priorityText, statusIcon } from "./paint.ts";
import { cleanLine, cut, displayWidth } from "./plain-text.ts";

export interface LineStyle {
  readonly paint: Paint;
  /** Undefined: nothing is cut. */
  readonly columns: number | undefined;
}

/** `○ api-x7 [P1] [bug] @toast - Title [label, …]`: one bead in one line. */
export function beadLine(record: BeadRecord, { paint, columns }: LineStyle, indent = ""): string {
  const holder = record.assignee ?? "";
  const lead = [
    `${indent}${statusIcon(record.status, paint)}`,
    paint("bold", cleanLine(record.id)),
    `[${priorityText(record.priority, paint)}]`,
    ...(record.issue_type === "task" ? [] : [paint("dim", `[${cleanLine(record.issue_type)}]`)]),
    ...(holder === "" ? [] : [paint("cyan", `@${cleanLine(holder)}`)]),
    "-",
  ].join(" ");
  const labels = (record.labels ?? []).map(cleanLine);
  const room = columns === undefined ? undefined : Math.max(12, columns - displayWidth(lead) - 1);
  const title = cut(cleanLine(record.title), room);
  const tail = labels.length === 0 ? "" : ` [${labels.join(", ")}]`;
  const fits = room === undefined || displayWidth(title) + displayWidth(tail) <= room;
  const shownTitle = record.status === "closed" ? paint("dim", title) : title;
  return `${lead} ${shownTitle}${fits ? paint("dim", tail) : ""}`;
}

/** `api-x7 P1 open Title`: the least an agent needs. */
export function briefLine(record: BeadRecord): string {
  return `${cleanLine(record.id)} P${record.priority} ${record.status} ${cut(cleanLine(record.title), 80)}`;
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
    lines.push(beadLine(record, style, lead));
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
