import type { ObjectMeta } from "../../resource/object-meta.ts";
import type { TableText } from "../output/table.ts";

export const TABLE_ACCEPT = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** `meta.k8s.io/v1 Table`: the server says what the columns are and renders the cells. */
export interface ServerTable {
  readonly kind: "Table";
  readonly metadata?: { readonly resourceVersion?: string };
  /** In a watch, only the first event has them. */
  readonly columnDefinitions?: readonly { readonly name: string; readonly priority?: number }[];
  readonly rows?: readonly ServerRow[];
}

interface ServerRow {
  readonly cells: readonly unknown[];
  readonly object?: { readonly metadata?: Partial<ObjectMeta> };
}

export interface TableView {
  readonly wide?: boolean;
  readonly withNamespace?: boolean;
  /** Keys of `-L`. */
  readonly labelColumns?: readonly string[];
  readonly showLabels?: boolean;
  /** `agent.work.town.dev/` in front of each name, where one listing shows several types. */
  readonly namePrefix?: string;
}

/** The table as text cells. AGE goes last whatever the server's order; a missing value is `<none>`. */
export function textTableOf(table: ServerTable, view: TableView): TableText {
  const columns = (table.columnDefinitions ?? []).map((column, index) => ({ ...column, index }));
  const shown = columns.filter((column) => view.wide === true || (column.priority ?? 0) === 0);
  const ordered = [
    ...shown.filter((column) => column.name !== "Age"),
    ...shown.filter((column) => column.name === "Age"),
  ];
  const labels = view.labelColumns ?? [];
  const headers = [
    ...(view.withNamespace === true ? ["NAMESPACE"] : []),
    ...ordered.map((column) => column.name.toUpperCase()),
    ...labels.map((key) => (key.split("/").at(-1) ?? key).toUpperCase()),
    ...(view.showLabels === true ? ["LABELS"] : []),
  ];
  const rows = (table.rows ?? []).map((row) => {
    const metadata = row.object?.metadata;
    const prefix = view.namePrefix ?? "";
    return [
      ...(view.withNamespace === true ? [metadata?.namespace ?? "<none>"] : []),
      ...ordered.map((column) => (column.index === 0 ? prefix : "") + cell(row.cells[column.index])),
      ...labels.map((key) => metadata?.labels?.[key] ?? "<none>"),
      ...(view.showLabels === true ? [labelsText(metadata?.labels)] : []),
    ];
  });
  return { headers, rows };
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === "") return "<none>";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

/** Several answers of one type as one table; the first one's columns count. */
export function joinedTables(tables: readonly ServerTable[]): ServerTable {
  const [first = { kind: "Table" as const }] = tables;
  return { ...first, rows: tables.flatMap((table) => table.rows ?? []) };
}
