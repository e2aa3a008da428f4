import type { BeadRecord, BeadSketch } from "../../domain/work-graph/bead.ts";
import { isDeferred } from "../../domain/work-graph/index/readiness.ts";
import type { BeadFilter, TimeRange } from "../../domain/work-graph/queries/bead-filter.ts";
import { canonicalType } from "../../domain/work-graph/record/bead-types.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import type { Flag } from "../grammar/flag.ts";
import { also, flag, list, text, texts } from "../grammar/flag.ts";
import type { Flags } from "../grammar/flags.ts";
import { itemsOf } from "../grammar/flags.ts";
import { usageError } from "../grammar/usage-error.ts";
import { metadataPairs } from "../values/metadata.ts";
import { priorityOf } from "../values/priority.ts";
import { statusOf } from "../values/status.ts";
import { timeOfText } from "../values/time.ts";

/** Words of flags with the field each is about. */
const times = { created: "created", updated: "updated", closed: "closed", due: "due", defer: "deferred" } as const;
type TimeWord = keyof typeof times;
const timeWords = Object.keys(times) as readonly TimeWord[];

/** Filters by what a bead is; every listing command takes them. */
export const fieldFilterFlags: readonly Flag[] = [
  list("type", "TYPE", "only these types", "t"),
  list("exclude-type", "TYPE", "without these types"),
  list("priority", "0-4", "only these priorities", "p"),
  text("priority-min", "0-4", "this priority or less urgent"),
  text("priority-max", "0-4", "this priority or more urgent"),
  text("assignee", "NAME", "assigned to NAME, or to me", "a"),
  also(flag("no-assignee", "assigned to nobody", "u"), "unassigned"),
  also(list("label", "LABEL", "with all of these labels", "l"), "labels", "label-exact"),
  list("label-any", "LABEL", "with one of these labels"),
  list("exclude-label", "LABEL", "without these labels"),
  text("label-pattern", "PATTERN", "with a label such as `area:*`"),
  text("label-regex", "REGEX", "with a label in which this regular expression is found"),
  flag("no-labels", "without labels"),
  text("parent", "ID", "children of ID"),
  text("under", "ID", "everything below ID"),
  flag("no-parent", "without parent"),
  also(text("title", "TEXT", "TEXT is in the title"), "title-contains"),
  text("desc-contains", "TEXT", "TEXT is in the description"),
  text("notes-contains", "TEXT", "TEXT is in the notes"),
  text("external-ref", "REF", "with exactly this external reference"),
  text("external-contains", "TEXT", "TEXT is in the external reference"),
  text("spec", "SPEC", "with this spec id"),
  list("id", "ID", "only these beads"),
  texts("metadata-field", "KEY=VALUE", "with this fact in its metadata"),
  text("has-metadata-key", "KEY", "with this key in its metadata"),
  ...timeWords.flatMap((word) => [
    text(`${word}-after`, "TIME", `${times[word]} ${word === "defer" ? "until " : ""}after TIME`),
    text(`${word}-before`, "TIME", `${times[word]} ${word === "defer" ? "until " : ""}before TIME`),
  ]),
  flag("overdue", "due in the past and not closed"),
  flag("deferred", "deferred, by status or until a time to come"),
  flag("pinned", "pinned"),
  flag("no-pinned", "not pinned"),
  text("mol-type", "TYPE", "molecules of this type"),
  text("wisp-type", "TYPE", "wisps of this type"),
  flag("empty-description", "without description"),
];

export interface FilterInput {
  readonly flags: Flags;
  readonly now: number;
  /** The full id of what `--parent` and `--under` name. */
  readonly idOf: (text: string) => string;
}

/** What the flags select. Throws TownError `Usage` for a value that makes no sense. */
export function filterFrom(input: FilterInput): BeadFilter {
  const { flags, idOf } = input;
  const parts: readonly BeadFilter[] = [
    listPart(flags, "type", (types) => ({ type: types.map(canonicalType) })),
    listPart(flags, "exclude-type", (types) => ({ excludeType: types.map(canonicalType) })),
    listPart(flags, "priority", (priorities) => ({ priority: priorities.map(priorityOf) })),
    listPart(flags, "label", (labels) => ({ labels })),
    listPart(flags, "label-any", (anyLabel) => ({ anyLabel })),
    listPart(flags, "exclude-label", (excludeLabels) => ({ excludeLabels })),
    listPart(flags, "id", (ids) => ({ ids: ids.map(idOf) })),
    textPart(flags, "priority-min", (priority) => ({ minPriority: priorityOf(priority) })),
    textPart(flags, "priority-max", (priority) => ({ maxPriority: priorityOf(priority) })),
    textPart(flags, "assignee", (assignee) => ({ assignee })),
    textPart(flags, "label-pattern", (labelPattern) => ({ labelPattern })),
    textPart(flags, "label-regex", (expression) => ({ labelRegex: regexOf(expression) })),
    textPart(flags, "external-ref", (externalRefIs) => ({ externalRefIs })),
    textPart(flags, "parent", (parent) => ({ parent: idOf(parent) })),
    textPart(flags, "under", (under) => ({ under: idOf(under) })),
    textPart(flags, "title", (title) => ({ title })),
    textPart(flags, "desc-contains", (description) => ({ description })),
    textPart(flags, "notes-contains", (notes) => ({ notes })),
    textPart(flags, "external-contains", (externalRef) => ({ externalRef })),
    textPart(flags, "spec", (specId) => ({ specId })),
    textPart(flags, "has-metadata-key", (metadataKey) => ({ metadataKey })),
    textPart(flags, "mol-type", (molType) => ({ molType })),
    textPart(flags, "wisp-type", (wispType) => ({ wispType, wisps: true })),
    flags.has("metadata-field") ? { metadata: metadataPairs(flags.texts("metadata-field")) } : {},
    flags.isSet("no-assignee") ? { assignee: "" } : {},
    flags.isSet("no-labels") ? { noLabels: true } : {},
    flags.isSet("no-parent") ? { noParent: true } : {},
    flags.isSet("empty-description") ? { emptyDescription: true } : {},
    flags.isSet("pinned") ? { pinned: true } : {},
    flags.isSet("no-pinned") ? { pinned: false } : {},
    ...timeWords.map((word) => timePart(input, word)),
  ];
  return Object.assign({}, ...parts) as BeadFilter;
}

/** What a sketch says, and what only the record does. */
type TimedBead = BeadSketch & Pick<BeadRecord, "due_at">;

/** Whether sketches answer `timeTest`. */
export function isSketchTime({ flags }: Pick<FilterInput, "flags">): boolean {
  return !flags.isSet("overdue");
}

/** Filters that a record alone does not answer: they ask what time it is. */
export function timeTest({ flags, now }: Pick<FilterInput, "flags" | "now">): (record: TimedBead) => boolean {
  const isOverdue = (record: TimedBead): boolean => record.status !== "closed" && (timeOf(record.due_at) ?? now) < now;
  const isPutOff = (record: TimedBead): boolean => record.status === "deferred" || isDeferred(record, now);
  return (record) => (!flags.isSet("overdue") || isOverdue(record)) && (!flags.isSet("deferred") || isPutOff(record));
}

/** Statuses of `--status a,b` (repeatable); undefined when not given or `all`. */
export function statusFilter(flags: Flags, book: StatusBook): readonly string[] | undefined {
  const given = itemsOf(flags.texts("status"));
  return given.length === 0 || given.includes("all") ? undefined : given.map((text) => statusOf(text, book));
}

function regexOf(text: string): RegExp {
  try {
    return new RegExp(text, "u");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw usageError(
      `invalid argument "${text}" for "--label-regex" flag: ${why}`,
      "--label-pattern 'area:*' is simpler",
    );
  }
}

function listPart(flags: Flags, name: string, part: (items: readonly string[]) => BeadFilter): BeadFilter {
  const items = flags.list(name);
  return items.length === 0 ? {} : part(items);
}

function textPart(flags: Flags, name: string, part: (value: string) => BeadFilter): BeadFilter {
  const value = flags.text(name);
  return value === undefined ? {} : part(value);
}

function timePart({ flags, now }: FilterInput, word: TimeWord): BeadFilter {
  const bound = (name: keyof TimeRange): TimeRange => {
    const given = flags.text(`${word}-${name}`);
    const ms = given === undefined ? undefined : timeOf(timeOfText(given, now));
    return ms === undefined ? {} : { [name]: ms };
  };
  const range = { ...bound("after"), ...bound("before") };
  return Object.keys(range).length === 0 ? {} : { [times[word]]: range };
}
