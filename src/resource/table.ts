import { humanDuration } from "./human-duration.ts";
import { compileJsonPath, type JsonPath } from "./json-path.ts";
import type { Column } from "./kind-definition.ts";
import { plainText } from "./plain-text.ts";

export interface ColumnDefinition {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export type Cell = string | number | boolean | null;

/** Renders objects of one kind as rows. */
export interface TableRenderer {
  readonly columnDefinitions: readonly ColumnDefinition[];
  /** `nowMs`: for ages. */
  cells(object: { readonly metadata: { readonly name: string } }, nowMs: number): readonly Cell[];
}

const NAME_COLUMN: ColumnDefinition = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  priority: 0,
};

/** Kubernetes shows this when a kind declares no columns. */
const AGE: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since the object was created.",
};

/** The first column is always Name; then those declared, or Age when there are none. */
export function tableRenderer(columns: readonly Column[]): TableRenderer {
  const shown = columns.length === 0 ? [AGE] : columns;
  const readers = shown.map((column) => ({ type: column.type, read: compileJsonPath(column.jsonPath) }));
  return {
    columnDefinitions: [
      NAME_COLUMN,
      ...shown.map(({ name, type, description, priority }) => ({
        name,
        type: type === "date" ? "date" : type,
        format: "",
        description,
        priority: priority ?? 0,
      })),
    ],
    cells: (object, nowMs) => [
      object.metadata.name,
      ...readers.map(({ type, read }) => cell(type, read, object, nowMs)),
    ],
  };
}

function cell(type: Column["type"], read: JsonPath, object: unknown, nowMs: number): Cell {
  if (read.single !== undefined) return oneCell(type, read.single(object), nowMs);
  const values = read(object);
  return values.length > 1 && type === "string" ? values.map(plainText).join(",") : oneCell(type, values[0], nowMs);
}

function oneCell(type: Column["type"], value: unknown, nowMs: number): Cell {
  if (value === undefined) return null;
  switch (type) {
    case "date":
      return age(value, nowMs);
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? shortNumber(value) : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    default:
      return plainText(value);
  }
}

/** Two places after the point; of less than a hundredth its first digit. */
function shortNumber(value: number): number {
  return Math.abs(value) >= 0.01 || value === 0 ? Math.round(value * 100) / 100 : Number(value.toPrecision(1));
}

function age(value: unknown, nowMs: number): string {
  const at = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? "<unknown>" : humanDuration(nowMs - at);
}
