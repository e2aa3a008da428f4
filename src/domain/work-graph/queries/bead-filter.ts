import type { BeadRecord, BeadSketch } from "../bead.ts";
import { sameJson } from "../record/canonical.ts";
import { metadataOf, textOf } from "../record/facts.ts";
import { parentIdsOf } from "../record/edges.ts";
import { timeOf } from "../record/stamp.ts";
import type { GraphView } from "./graph-view.ts";
import { descendantsOf } from "./graph-view.ts";

/** A span of time, ms since the epoch; both ends exclusive. */
export interface TimeRange {
  readonly after?: number;
  readonly before?: number;
}

/** What to list. Everything given must hold; texts are compared without regard to case. */
export interface BeadFilter {
  readonly ids?: readonly string[];
  /** Any of these. */
  readonly status?: readonly string[];
  readonly excludeStatus?: readonly string[];
  readonly type?: readonly string[];
  readonly excludeType?: readonly string[];
  /** `""`: nobody. */
  readonly assignee?: string;
  readonly owner?: string;
  readonly createdBy?: string;
  /** All of these. */
  readonly labels?: readonly string[];
  readonly anyLabel?: readonly string[];
  readonly excludeLabels?: readonly string[];
  /** A label that matches this pattern, `*` for any text. */
  readonly labelPattern?: string;
  /** A label in which this is found. */
  readonly labelRegex?: RegExp;
  readonly noLabels?: boolean;
  readonly priority?: readonly number[];
  readonly minPriority?: number;
  readonly maxPriority?: number;
  /** In title, description, notes, design, acceptance criteria or id. */
  readonly text?: string;
  readonly title?: string;
  readonly description?: string;
  readonly notes?: string;
  readonly externalRef?: string;
  /** The whole of it. */
  readonly externalRefIs?: string;
  readonly specId?: string;
  readonly emptyDescription?: boolean;
  readonly created?: TimeRange;
  readonly updated?: TimeRange;
  readonly closed?: TimeRange;
  readonly due?: TimeRange;
  readonly deferred?: TimeRange;
  /** Direct children of this bead. */
  readonly parent?: string;
  /** Everything below this bead. */
  readonly under?: string;
  readonly noParent?: boolean;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly metadataKey?: string;
  readonly molType?: string;
  readonly wispType?: string;
  readonly pinned?: boolean;
  /** Default false: wisps are left out. */
  readonly wisps?: boolean;
  /** Default false: templates are left out. */
  readonly templates?: boolean;
}

type Test = (record: BeadRecord) => boolean;

/** The beads a filter selects, in id order. */
export function selectBeads(view: GraphView, filter: BeadFilter): readonly BeadRecord[] {
  return candidates(view, filter).filter(beadTest(filter));
}

// From the narrowest set that the store has an index for.
function candidates(view: GraphView, filter: BeadFilter): readonly BeadRecord[] {
  if (filter.ids !== undefined)
    return [...new Set(filter.ids)].map((id) => view.get(id)).filter((record) => record !== undefined);
  if (filter.parent !== undefined) return inIdOrder(view.childrenOf(filter.parent));
  if (filter.under !== undefined) return inIdOrder(descendantsOf(view, filter.under));
  const [label] = filter.labels ?? [];
  return view.list({
    ...(filter.status === undefined ? {} : { status: filter.status }),
    ...(filter.type === undefined ? {} : { type: filter.type }),
    ...(filter.assignee === undefined ? {} : { assignee: filter.assignee }),
    ...(label === undefined ? {} : { label }),
  });
}

function inIdOrder(records: readonly BeadRecord[]): readonly BeadRecord[] {
  return [...records].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether a record fits; `ids`, `parent` and `under` are not looked at. Made once for many records. */
export function beadTest(filter: BeadFilter): (record: BeadRecord) => boolean {
  const tests = testsOf(filter);
  return (record) => tests.every((test) => test(record));
}

const sketchFields: ReadonlySet<keyof BeadFilter> = new Set([
  "status",
  "excludeStatus",
  "type",
  "excludeType",
  "assignee",
  "labels",
  "anyLabel",
  "excludeLabels",
  "labelPattern",
  "labelRegex",
  "noLabels",
  "priority",
  "minPriority",
  "maxPriority",
  "created",
  "deferred",
  "pinned",
  "wisps",
  "templates",
]);

/** Whether sketches tell if a bead fits; not for edges, nor for `ids`, `parent` and `under`, which name few. */
export function isSketchFilter(filter: BeadFilter): boolean {
  return (Object.keys(filter) as readonly (keyof BeadFilter)[]).every((key) => sketchFields.has(key));
}

/** As `beadTest`, of sketches; the filter must be one for them. */
export function sketchTest(filter: BeadFilter): (sketch: BeadSketch) => boolean {
  const test = beadTest(filter);
  // Such a filter looks at nothing that a sketch lacks.
  return (sketch) => test(sketch as BeadRecord);
}

function testsOf(filter: BeadFilter): readonly Test[] {
  const tests: Test[] = [];
  for (const [key, make] of Object.entries(makers) as readonly [keyof BeadFilter, (wanted: never) => Test][]) {
    const wanted = filter[key];
    if (wanted !== undefined) tests.push(make(wanted as never));
  }
  if (filter.wisps !== true) tests.push((record) => record.ephemeral !== true);
  if (filter.templates !== true) tests.push((record) => record.is_template !== true);
  return tests;
}

const anyOf =
  (field: string) =>
  (wanted: readonly unknown[]): Test =>
  (record) =>
    wanted.includes(record[field]);
const noneOf =
  (field: string) =>
  (unwanted: readonly unknown[]): Test =>
  (record) =>
    !unwanted.includes(record[field]);
const equal =
  (field: string) =>
  (wanted: string): Test =>
  (record) =>
    (record[field] ?? "") === wanted;
const contains =
  (...fields: readonly string[]) =>
  (wanted: string): Test => {
    const text = wanted.toLowerCase();
    return (record) => fields.some((field) => textOf(record[field]).toLowerCase().includes(text));
  };
const within =
  (field: string) =>
  ({ after, before }: TimeRange): Test =>
  (record) => {
    const time = timeOf(record[field]);
    return time !== undefined && (after === undefined || time > after) && (before === undefined || time < before);
  };
const labelsOf = (record: BeadRecord): readonly string[] => (Array.isArray(record.labels) ? record.labels : []);

const makers: { readonly [K in keyof BeadFilter]: (wanted: NonNullable<BeadFilter[K]>) => Test } = {
  status: anyOf("status"),
  excludeStatus: noneOf("status"),
  type: anyOf("issue_type"),
  excludeType: noneOf("issue_type"),
  assignee: equal("assignee"),
  owner: equal("owner"),
  createdBy: equal("created_by"),
  labels: (wanted) => (record) => wanted.every((label) => labelsOf(record).includes(label)),
  anyLabel: (wanted) => (record) => wanted.some((label) => labelsOf(record).includes(label)),
  excludeLabels: (unwanted) => (record) => !unwanted.some((label) => labelsOf(record).includes(label)),
  labelPattern: (pattern) => {
    const expression = new RegExp(
      `^${pattern
        .split("*")
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        .join(".*")}$`,
    );
    return (record) => labelsOf(record).some((label) => expression.test(label));
  },
  labelRegex: (wanted) => (record) => labelsOf(record).some((label) => wanted.test(label)),
  noLabels: (wanted) => (record) => (labelsOf(record).length === 0) === wanted,
  priority: anyOf("priority"),
  minPriority: (least) => (record) => record.priority >= least,
  maxPriority: (most) => (record) => record.priority <= most,
  text: contains("title", "description", "notes", "design", "acceptance_criteria", "id"),
  title: contains("title"),
  description: contains("description"),
  notes: contains("notes"),
  externalRef: contains("external_ref"),
  externalRefIs: equal("external_ref"),
  specId: equal("spec_id"),
  emptyDescription: (wanted) => (record) => ((record.description ?? "") === "") === wanted,
  created: within("created_at"),
  updated: within("updated_at"),
  closed: within("closed_at"),
  due: within("due_at"),
  deferred: within("defer_until"),
  noParent: (wanted) => (record) => (parentIdsOf(record).length === 0) === wanted,
  metadata: (wanted) => (record) =>
    Object.entries(wanted).every(([key, value]) => sameJson(metadataOf(record)[key], value)),
  metadataKey: (key) => (record) => metadataOf(record)[key] !== undefined,
  molType: equal("mol_type"),
  wispType: equal("wisp_type"),
  pinned: (wanted) => (record) => (record.pinned === true) === wanted,
};
