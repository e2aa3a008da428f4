import type { BeadRecord, DependencyEdge } from "../bead.ts";
import { META } from "../bead.ts";
import { edgesOf, parentIdsOf } from "../record/edges.ts";
import { hasFailed, isDeleted, isMerged, metadataOf } from "../record/facts.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export const noEdges: readonly DependencyEdge[] = [];

type Edge = readonly [dependsOn: string, type: string, metadata?: string];

/** Values that repeat: the distinct ones, and which of them each row has. */
interface Coded<T> {
  readonly values: readonly T[];
  readonly rows: readonly number[];
}

/** What few records have. */
interface Rare {
  readonly defer_until?: string;
  readonly pinned?: true;
  readonly is_template?: true;
  readonly close_reason?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

interface Counts {
  /** Ids without a parent in them. */
  readonly topLevel: number;
  readonly deleted: number;
}

interface Columns {
  readonly counts: Counts;
  readonly id: readonly string[];
  readonly status: Coded<string>;
  readonly issue_type: Coded<string>;
  readonly priority: readonly number[];
  readonly created_at: readonly string[];
  /** `""`: nobody. */
  readonly assignee: Coded<string>;
  readonly labels: Coded<readonly string[]>;
  readonly dependencies: readonly (readonly Edge[] | 0)[];
  readonly rare: readonly (readonly [row: number, facts: Rare])[];
}

const order: readonly (keyof Columns)[] = [
  "counts",
  "id",
  "status",
  "issue_type",
  "priority",
  "created_at",
  "assignee",
  "labels",
  "dependencies",
  "rare",
];

/** Metadata that indexes look at. */
const factKeys: readonly string[] = [META.key, META.step, "town.merged"];

/**
 * What indexes, filters and orders need to know of many records, by column: a column is parsed when it is first looked at,
 * and a record is read when somebody asks for all of it. Rows are never changed.
 */
export class BeadTable {
  readonly #lines: readonly string[];
  readonly #columns: Partial<Record<keyof Columns, unknown>> = {};
  readonly #texts: RowTexts;
  #rare: ReadonlyMap<number, Rare> | undefined;

  /** `lines`: of `tableLines`. */
  constructor(lines: readonly string[], texts: RowTexts) {
    this.#lines = lines;
    this.#texts = texts;
  }

  get ids(): readonly string[] {
    return this.#column("id");
  }

  get counts(): Counts {
    return this.#column("counts");
  }

  /** Rows with a time until which they are deferred. */
  *deferred(): Iterable<readonly [id: string, until: string]> {
    for (const [row, { defer_until: until }] of this.#rareFacts) if (until !== undefined) yield [this.#id(row), until];
  }

  key(row: number): string | undefined {
    const key = this.#rareFacts.get(row)?.metadata?.[META.key];
    return typeof key === "string" ? key : undefined;
  }

  /** Value of a field of which there are few. */
  value(field: "status" | "issue_type" | "assignee", row: number): string {
    return this.#coded(field, row);
  }

  priority(row: number): number {
    return this.#column("priority")[row] ?? 0;
  }

  created(row: number): string {
    return this.#column("created_at")[row] ?? "";
  }

  labels(row: number): readonly string[] {
    return this.#coded("labels", row);
  }

  /** Edges of a row. */
  edges(row: number): readonly DependencyEdge[] {
    const edges = this.#column("dependencies")[row] ?? 0;
    if (edges === 0) return noEdges;
    const id = this.#id(row);
    return edges.map((edge) => edgeOf(id, edge));
  }

  pointsAt(row: number, id: string): boolean {
    const edges = this.#column("dependencies")[row] ?? 0;
    return edges !== 0 && edges.some(([on]) => on === id);
  }

  /** What is in a row, in the shape of a record: all that indexes look at, and nothing that only people read. */
  facts(row: number, edges: readonly DependencyEdge[]): BeadRecord {
    const facts: Writable<BeadRecord> = {
      id: this.#id(row),
      title: "",
      status: this.value("status", row),
      priority: this.priority(row),
      issue_type: this.value("issue_type", row),
      created_at: this.created(row),
      updated_at: "",
    };
    const assignee = this.value("assignee", row);
    if (assignee !== "") facts.assignee = assignee;
    const labels = this.labels(row);
    if (labels.length > 0) facts.labels = labels;
    if (edges.length > 0) facts.dependencies = edges;
    const rare = this.#rareFacts.get(row);
    return rare === undefined ? facts : Object.assign(facts, rare);
  }

  /** The whole record. */
  record(row: number): BeadRecord {
    return this.#texts.record(row, this.#id(row));
  }

  /** Its text as JSON, unread. */
  text(row: number): string {
    return this.#texts.text(row, this.#id(row));
  }

  get #rareFacts(): ReadonlyMap<number, Rare> {
    this.#rare ??= new Map(this.#column("rare"));
    return this.#rare;
  }

  #id(row: number): string {
    return this.ids[row] ?? "";
  }

  #coded<K extends "status" | "issue_type" | "assignee" | "labels">(
    name: K,
    row: number,
  ): Columns[K]["values"][number] {
    const { values, rows } = this.#column(name);
    return values[rows[row] ?? 0] as Columns[K]["values"][number];
  }

  #column<K extends keyof Columns>(name: K): Columns[K] {
    this.#columns[name] ??= JSON.parse(this.#lines[order.indexOf(name)] ?? "null");
    return this.#columns[name] as Columns[K];
  }
}

function edgeOf(id: string, [on, type, metadata]: Edge): DependencyEdge {
  return metadata === undefined
    ? { issue_id: id, depends_on_id: on, type }
    : { issue_id: id, depends_on_id: on, type, metadata };
}

/** Where the records of a table lie. */
export interface RowTexts {
  /** The whole record of a row, whose id is known. */
  record(row: number, id: string): BeadRecord;
  /** Its text as JSON. */
  text(row: number, id: string): string;
}

/** How many lines a table has. */
export const tableLineCount = order.length;

/** Records as the lines of a table; each must fit into one. What `BeadTable.facts` gives back may be written again. */
export function tableLines(records: readonly BeadRecord[]): readonly string[] {
  const columns: Columns = {
    counts: countsOf(records),
    id: records.map(({ id }) => id),
    status: coded(records.map(({ status }) => status)),
    issue_type: coded(records.map(({ issue_type: type }) => type)),
    priority: records.map(({ priority }) => priority),
    created_at: records.map(({ created_at: at }) => at),
    assignee: coded(records.map(({ assignee }) => assignee ?? "")),
    labels: coded(records.map(({ labels }) => labels ?? [])),
    dependencies: records.map((record) => edgesIn(record)),
    rare: records.flatMap((record, row) => {
      const rare = rareIn(record);
      return Object.keys(rare).length === 0 ? [] : [[row, rare] as const];
    }),
  };
  return order.map((name) => JSON.stringify(columns[name]));
}

/** Parents of records that are not among them. */
export function parentsOutside(records: readonly BeadRecord[]): readonly string[] {
  const ids = new Set(records.map(({ id }) => id));
  const outside = new Set<string>();
  for (const record of records) for (const parent of parentIdsOf(record)) if (!ids.has(parent)) outside.add(parent);
  return [...outside];
}

/** Whether a record can be a row: no wisp, and nothing of it is of another type than it should be, as files of others have it. */
export function fitsTable(record: BeadRecord): boolean {
  const { id, status, issue_type: type, priority, created_at: at, assignee = "", labels = [] } = record;
  const texts: readonly unknown[] = [
    id,
    status,
    type,
    at,
    assignee,
    record.close_reason ?? "",
    record.defer_until ?? "",
  ];
  return (
    record.ephemeral !== true &&
    typeof priority === "number" &&
    texts.every((text) => typeof text === "string") &&
    Array.isArray(labels) &&
    labels.every((label) => typeof label === "string") &&
    (record.dependencies === undefined || Array.isArray(record.dependencies)) &&
    edgesOf(record).every(isEdge)
  );
}

function isEdge(edge: DependencyEdge | null): boolean {
  return typeof edge?.depends_on_id === "string" && typeof edge.type === "string";
}

function countsOf(records: readonly BeadRecord[]): Counts {
  return {
    topLevel: records.filter(({ id }) => !id.includes(".")).length,
    deleted: records.filter(isDeleted).length,
  };
}

function coded<T>(rows: readonly T[]): Coded<T> {
  const codes = new Map<string, number>();
  const values: T[] = [];
  const numbers = rows.map((value) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const known = codes.get(text);
    if (known !== undefined) return known;
    codes.set(text, values.length);
    return values.push(value) - 1;
  });
  return { values, rows: numbers };
}

function edgesIn(record: BeadRecord): readonly Edge[] | 0 {
  const edges = edgesOf(record);
  if (edges.length === 0) return 0;
  return edges.map(
    ({ depends_on_id: on, type, metadata }): Edge =>
      type === "waits-for" && metadata !== undefined ? [on, type, metadata] : [on, type],
  );
}

function rareIn(record: BeadRecord): Rare {
  const known = metadataOf(record);
  const metadata = Object.fromEntries(factKeys.flatMap((key) => (known[key] === undefined ? [] : [[key, known[key]]])));
  const outcome = [
    ...(record.status === "closed" && isMerged({ ...record, metadata: {} }) ? ["merged"] : []),
    ...(hasFailed(record) ? ["failed"] : []),
  ];
  return {
    ...(record.defer_until === undefined ? {} : { defer_until: record.defer_until }),
    ...(record.pinned === true ? { pinned: true } : {}),
    ...(record.is_template === true ? { is_template: true } : {}),
    ...(outcome.length === 0 ? {} : { close_reason: outcome.join(" ") }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
  };
}
