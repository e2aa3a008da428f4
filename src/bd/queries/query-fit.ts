import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { canonicalType } from "../../domain/work-graph/record/bead-types.ts";
import { parentIdsOf } from "../../domain/work-graph/record/edges.ts";
import { textOf } from "../../domain/work-graph/record/facts.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import { nearest } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";
import { priorityOf } from "../values/priority.ts";
import { statusOf } from "../values/status.ts";
import { durationOf, timeOfText } from "../values/time.ts";
import type { Operator, Query } from "./query-words.ts";

type Test = (record: BeadRecord) => boolean;
type Compare = Extract<Query, { readonly kind: "Compare" }>;

export interface QueryWorld {
  readonly now: number;
  readonly statuses: StatusBook;
  /** Who `me` is. */
  readonly actor: string;
}

/** Whether a record is what a query asks for. Throws TownError `Usage` that names the field and what it takes. */
export function queryFit(query: Query, world: QueryWorld): Test {
  if (query.kind === "Not") {
    const test = queryFit(query.of, world);
    return (record) => !test(record);
  }
  if (query.kind === "Compare") return comparison(query, world);
  const tests = query.of.map((part) => queryFit(part, world));
  return query.kind === "And"
    ? (record) => tests.every((test) => test(record))
    : (record) => tests.some((test) => test(record));
}

/** Every field a query looks at. */
export function fieldsOf(query: Query): ReadonlySet<string> {
  if (query.kind === "Compare") return new Set([query.field]);
  const parts = query.kind === "Not" ? [query.of] : query.of;
  return new Set(parts.flatMap((part) => [...fieldsOf(part)]));
}

function comparison(query: Compare, world: QueryWorld): Test {
  const make = Object.hasOwn(fields, query.field) ? fields[query.field] : undefined;
  if (make !== undefined) return make(query, world);
  const known = Object.keys(fields);
  const meant = nearest(query.field, known);
  throw usageError(
    `invalid query: unknown field "${query.field}"`,
    meant === undefined ? `fields are ${known.join(", ")}` : `did you mean ${meant}?`,
  );
}

/** `=` and `!=` of a test. */
function equal({ field, operator }: Compare, test: Test): Test {
  if (operator === "=") return test;
  if (operator === "!=") return (record) => !test(record);
  throw usageError(`invalid query: ${field} takes = and != only, received "${operator}"`);
}

const compares: Readonly<Record<Operator, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

const named =
  (key: string, read: (text: string, world: QueryWorld) => string = (text) => text) =>
  (query: Compare, world: QueryWorld): Test => {
    const wanted = query.value.toLowerCase() === "none" ? "" : read(query.value, world);
    return equal(query, (record) => textOf(record[key]) === wanted);
  };
const containing =
  (key: string) =>
  (query: Compare): Test => {
    const wanted = query.value.toLowerCase();
    if (wanted === "none") return equal(query, (record) => textOf(record[key]) === "");
    return equal(query, (record) => textOf(record[key]).toLowerCase().includes(wanted));
  };
const matching =
  (key: string) =>
  (query: Compare): Test => {
    const parts = query.value.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const pattern = new RegExp(`^${parts.join(".*")}$`, "su");
    return equal(query, (record) => pattern.test(textOf(record[key])));
  };
const yesOrNo =
  (key: string) =>
  (query: Compare): Test => {
    if (query.value !== "true" && query.value !== "false")
      throw usageError(`invalid query: ${query.field} is true or false, received "${query.value}"`);
    return equal(query, (record) => (record[key] === true) === (query.value === "true"));
  };
const dated =
  (key: string) =>
  ({ field, operator, value }: Compare, { now }: QueryWorld): Test => {
    if (operator === "=" || operator === "!=")
      throw usageError(`invalid query: ${field} takes >, >=, < and <=`, `write ${field}>7d, or ${field}<2026-01-15`);
    // A length of time alone is so long ago.
    const limit = /^\d+[smhdw]$/.test(value) ? now - durationOf(value) : (timeOf(timeOfText(value, now)) ?? now);
    return (record) => {
      const time = timeOf(record[key]);
      return time !== undefined && compares[operator](time, limit);
    };
  };

/** bd's fields, in the order of its help. */
const fields: Readonly<Record<string, (query: Compare, world: QueryWorld) => Test>> = {
  status: named("status", (text, { statuses }) => statusOf(text, statuses)),
  priority: ({ operator, value }) => {
    const wanted = priorityOf(value);
    return (record) => compares[operator](record.priority, wanted);
  },
  type: named("issue_type", (text) => canonicalType(text.toLowerCase())),
  assignee: named("assignee", (text, { actor }) => (text === "me" ? actor : text)),
  owner: named("owner"),
  label: (query) => {
    const labels = (record: BeadRecord): readonly string[] => (Array.isArray(record.labels) ? record.labels : []);
    if (query.value.toLowerCase() === "none") return equal(query, (record) => labels(record).length === 0);
    return equal(query, (record) => labels(record).includes(query.value));
  },
  title: containing("title"),
  description: containing("description"),
  notes: containing("notes"),
  created: dated("created_at"),
  updated: dated("updated_at"),
  started: dated("started_at"),
  closed: dated("closed_at"),
  id: matching("id"),
  spec: matching("spec_id"),
  pinned: yesOrNo("pinned"),
  ephemeral: yesOrNo("ephemeral"),
  template: yesOrNo("is_template"),
  parent: (query) => equal(query, (record) => parentIdsOf(record).includes(query.value)),
  mol_type: named("mol_type"),
};
