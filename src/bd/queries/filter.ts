import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { edgesOf } from "../../domain/work-graph/record/edges.ts";
import { isDeferred } from "../../domain/work-graph/index/readiness.ts";
import { metadataOf } from "../../domain/work-graph/record/facts.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import type { Flag } from "../grammar/flag.ts";
import { also, flag, list, text, texts } from "../grammar/flag.ts";
import type { Flags } from "../grammar/flags.ts";
import { itemsOf } from "../grammar/flags.ts";
import { canonicalType } from "../../domain/work-graph/record/bead-types.ts";
import { metadataPairs } from "../values/metadata.ts";
import { priorityOf } from "../values/priority.ts";
import { statusOf } from "../values/status.ts";
import { timeOfText } from "../values/time.ts";

export type Predicate = (record: BeadRecord, graph: GraphReader) => boolean;

/** Filters by what a bead is; every listing command takes them. */
export const fieldFilterFlags: readonly Flag[] = [
  list("type", "TYPE", "only these types", "t"),
  list("exclude-type", "TYPE", "without these types"),
  text("priority", "0-4", "only this priority", "p"),
  text("priority-min", "0-4", "this priority or less urgent"),
  text("priority-max", "0-4", "this priority or more urgent"),
  text("assignee", "NAME", "assigned to NAME", "a"),
  also(flag("no-assignee", "assigned to nobody"), "unassigned"),
  also(list("label", "LABEL", "with all of these labels", "l"), "labels"),
  list("label-any", "LABEL", "with one of these labels"),
  flag("no-labels", "without labels"),
  text("parent", "ID", "children of ID"),
  flag("no-parent", "without parent"),
  also(text("title", "TEXT", "TEXT is in the title"), "title-contains"),
  text("desc-contains", "TEXT", "TEXT is in the description"),
  text("notes-contains", "TEXT", "TEXT is in the notes"),
  list("id", "ID", "only these beads"),
  texts("metadata-field", "KEY=VALUE", "with this fact in its metadata"),
  text("has-metadata-key", "KEY", "with this key in its metadata"),
  ...["created", "updated", "closed"].flatMap((what) => [
    text(`${what}-after`, "TIME", `${what} after TIME`),
    text(`${what}-before`, "TIME", `${what} before TIME`),
  ]),
  text("due-after", "TIME", "due after TIME"),
  text("due-before", "TIME", "due before TIME"),
  flag("overdue", "due in the past and not closed"),
  flag("deferred", "deferred, by status or until a time to come"),
  flag("pinned", "pinned"),
  flag("no-pinned", "not pinned"),
  flag("empty-description", "without description"),
];

interface FilterContext {
  readonly flags: Flags;
  readonly now: number;
}

type Rule = (given: FilterContext) => Predicate | undefined;

const rules: readonly Rule[] = [
  typeRule,
  priorityRule,
  ({ flags }) => textRule(flags, "assignee", (record) => record.assignee ?? "", "equal"),
  ({ flags }) => (flags.isSet("no-assignee") ? (record) => (record.assignee ?? "") === "" : undefined),
  ({ flags }) => labelRule(flags.list("label"), "every"),
  ({ flags }) => labelRule(flags.list("label-any"), "some"),
  ({ flags }) => (flags.isSet("no-labels") ? (record) => labelsOf(record).length === 0 : undefined),
  parentRule,
  ({ flags }) => (flags.isSet("no-parent") ? (record, graph) => graph.parentOf(record.id) === undefined : undefined),
  ({ flags }) => textRule(flags, "title", (record) => record.title, "part"),
  ({ flags }) => textRule(flags, "desc-contains", (record) => record.description ?? "", "part"),
  ({ flags }) => textRule(flags, "notes-contains", (record) => record.notes ?? "", "part"),
  idRule,
  metadataRule,
  (given) => timeRule(given, "created", (record) => record.created_at),
  (given) => timeRule(given, "updated", (record) => record.updated_at),
  (given) => timeRule(given, "closed", (record) => record.closed_at),
  (given) => timeRule(given, "due", (record) => record.due_at),
  ({ flags, now }) =>
    flags.isSet("overdue")
      ? (record) => record.status !== "closed" && (timeOf(record.due_at) ?? Number.POSITIVE_INFINITY) < now
      : undefined,
  ({ flags, now }) =>
    flags.isSet("deferred") ? (record) => record.status === "deferred" || isDeferred(record, now) : undefined,
  ({ flags }) => (flags.isSet("pinned") ? isPinned : undefined),
  ({ flags }) => (flags.isSet("no-pinned") ? (record) => !isPinned(record) : undefined),
  ({ flags }) => (flags.isSet("empty-description") ? (record) => (record.description ?? "").trim() === "" : undefined),
];

/** True for the beads that all given filters let through. Throws TownError `Usage` for a value that makes no sense. */
export function fieldFilter(given: FilterContext): Predicate {
  const predicates = rules.map((rule) => rule(given)).filter((predicate) => predicate !== undefined);
  return (record, graph) => predicates.every((predicate) => predicate(record, graph));
}

/** Statuses of `--status a,b` (repeatable); undefined when not given or `all`. */
export function statusFilter(flags: Flags, book: StatusBook): readonly string[] | undefined {
  const given = itemsOf(flags.texts("status"));
  return given.length === 0 || given.includes("all") ? undefined : given.map((text) => statusOf(text, book));
}

function typeRule({ flags }: FilterContext): Predicate | undefined {
  const wanted = flags.list("type").map(canonicalType);
  const unwanted = flags.list("exclude-type").map(canonicalType);
  if (wanted.length === 0 && unwanted.length === 0) return undefined;
  return ({ issue_type: type }) => (wanted.length === 0 || wanted.includes(type)) && !unwanted.includes(type);
}

function priorityRule({ flags }: FilterContext): Predicate | undefined {
  const exact = itemsOf(flags.texts("priority")).map(priorityOf);
  const least = priorityOf(flags.text("priority-min") ?? "0");
  const most = priorityOf(flags.text("priority-max") ?? "4");
  if (exact.length === 0 && least === 0 && most === 4) return undefined;
  return ({ priority }) => (exact.length === 0 || exact.includes(priority)) && priority >= least && priority <= most;
}

function textRule(
  flags: Flags,
  name: string,
  valueOf: (record: BeadRecord) => string,
  how: "equal" | "part",
): Predicate | undefined {
  const wanted = flags.text(name);
  if (wanted === undefined) return undefined;
  if (how === "equal") return (record) => valueOf(record) === wanted;
  const part = wanted.toLowerCase();
  return (record) => valueOf(record).toLowerCase().includes(part);
}

function labelRule(wanted: readonly string[], how: "every" | "some"): Predicate | undefined {
  if (wanted.length === 0) return undefined;
  return (record) => {
    const labels = labelsOf(record);
    return wanted[how]((label) => labels.includes(label));
  };
}

function labelsOf(record: BeadRecord): readonly string[] {
  return Array.isArray(record.labels) ? (record.labels as readonly string[]) : [];
}

// Children by edge; an id below the parent's counts too, as files of other tools have children without an edge.
function parentRule({ flags }: FilterContext): Predicate | undefined {
  const parent = flags.text("parent");
  if (parent === undefined) return undefined;
  return (record, graph) => {
    const own = graph.parentOf(record.id)?.id;
    if (own !== undefined) return own === parent;
    const hasEdge = edgesOf(record).some(({ type }) => type === "parent-child");
    return !hasEdge && new RegExp(`^${escaped(parent)}\\.[^.]+$`).test(record.id);
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function idRule({ flags }: FilterContext): Predicate | undefined {
  const ids = new Set(flags.list("id"));
  return ids.size === 0 ? undefined : (record) => ids.has(record.id);
}

function metadataRule({ flags }: FilterContext): Predicate | undefined {
  const wanted = Object.entries(metadataPairs(flags.texts("metadata-field")));
  const key = flags.text("has-metadata-key");
  if (wanted.length === 0 && key === undefined) return undefined;
  return (record) => {
    const metadata = metadataOf(record);
    if (key !== undefined && metadata[key] === undefined) return false;
    return wanted.every(([name, value]) => sameText(metadata[name], value));
  };
}

function sameText(a: unknown, b: unknown): boolean {
  const text = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
  return a !== undefined && text(a) === text(b);
}

function timeRule(
  { flags, now }: FilterContext,
  what: string,
  valueOf: (record: BeadRecord) => string | undefined,
): Predicate | undefined {
  const bound = (name: string): number | undefined => {
    const given = flags.text(`${what}-${name}`);
    return given === undefined ? undefined : timeOf(timeOfText(given, now));
  };
  const after = bound("after");
  const before = bound("before");
  if (after === undefined && before === undefined) return undefined;
  return (record) => {
    const ms = timeOf(valueOf(record));
    return ms !== undefined && ms > (after ?? Number.NEGATIVE_INFINITY) && ms < (before ?? Number.POSITIVE_INFINITY);
  };
}

function isPinned(record: BeadRecord): boolean {
  return record.pinned === true || record.status === "pinned";
}
