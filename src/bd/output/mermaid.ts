import { cleanLine } from "./plain-text.ts";

export interface DiagramRow {
  readonly id: string;
  readonly title: string | undefined;
  readonly parentId: string | undefined;
  readonly edgeType: string | undefined;
  /** `down`: the row above depends on this one. */
  readonly direction: "down" | "up";
}

/** Rows of a dependency tree as a Mermaid flow chart (https://mermaid.js.org/syntax/flowchart.html). */
export function mermaid(rows: readonly DiagramRow[]): string {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    const known = names.get(id) ?? `n${names.size}`;
    names.set(id, known);
    return known;
  };
  const boxes = new Map(
    rows.map(({ id, title }) => [id, `  ${nameOf(id)}["${quoted(title === undefined ? id : `${id}: ${title}`)}"]`]),
  );
  const arrows = rows.flatMap(({ id, parentId, edgeType, direction }) => {
    if (parentId === undefined || edgeType === undefined) return [];
    const [from, to] = direction === "down" ? [parentId, id] : [id, parentId];
    return [`  ${nameOf(from)} -->${edgeType === "blocks" ? "" : `|${edgeType}|`} ${nameOf(to)}`];
  });
  return ["flowchart TD", ...boxes.values(), ...new Set(arrows)].join("\n");
}

function quoted(text: string): string {
  return cleanLine(text).replaceAll('"', "'");
}
