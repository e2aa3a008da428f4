import { isRecord, jsonEqual } from "../resource/equality.ts";
import type { ObjectKey, TownObject } from "../resource/object-meta.ts";
import { fieldText } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import { matchItems } from "./item-matching.ts";

/** Fields named in a summary; more are counted. */
const SHOWN_FIELDS = 3;
const SUBJECT_LENGTH = 100;

export interface SummarisedChange {
  readonly key: ObjectKey;
  readonly before: Pick<TownObject, "metadata" | "spec"> | undefined;
  readonly after: Pick<TownObject, "metadata" | "spec"> | undefined;
}

/** A commit message for changes of objects: `agentpool api/crew: spec.replicas 1 → 3`; several get a line each. */
export function commitMessage(changes: readonly SummarisedChange[]): string {
  const lines = changes.map(changeSummary);
  const [only] = lines;
  if (only !== undefined && lines.length === 1)
    return only.length <= SUBJECT_LENGTH ? `${only}\n` : `${cut(only)}\n\n${only}\n`;
  const names = changes.map((change) => nameOf(change.key)).join(", ");
  return `${cut(`${lines.length} objects: ${names}`)}\n\n${lines.map((line) => `- ${line}\n`).join("")}`;
}

/** What happens to one object, in one line. */
export function changeSummary({ key, before, after }: SummarisedChange): string {
  const name = nameOf(key);
  if (before === undefined) return `${name}: created`;
  if (after === undefined) return `${name}: deleted`;
  const fields = fieldChanges(parts(before), parts(after), []);
  if (fields.length === 0) return `${name}: rewritten`;
  const more = fields.length - SHOWN_FIELDS;
  return `${name}: ${fields.slice(0, SHOWN_FIELDS).join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

function nameOf(key: ObjectKey): string {
  return `${key.kind.toLowerCase()} ${key.namespace === undefined ? "" : `${key.namespace}/`}${key.name}`;
}

function parts({ metadata, spec }: Pick<TownObject, "metadata" | "spec">): unknown {
  return { metadata: { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} }, spec };
}

function fieldChanges(before: unknown, after: unknown, path: FieldPath): readonly string[] {
  if (jsonEqual(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      fieldChanges(before[key], after[key], [...path, key]),
    );
  }
  const field = fieldText(path);
  if (Array.isArray(before) && Array.isArray(after)) return listChange(before, after, field);
  const [old, next] = [short(before), short(after)];
  if (after === undefined) return [`${field} removed`];
  if (before === undefined) return [next === undefined ? `${field} set` : `${field} set to ${next}`];
  return [old === undefined || next === undefined ? `${field} changed` : `${field} ${old} → ${next}`];
}

/** `spec.items +2 −1`, or which named items changed. */
function listChange(before: readonly unknown[], after: readonly unknown[], field: string): readonly string[] {
  const sources = matchItems(before, after);
  const added = sources.filter((source) => source === undefined).length;
  const removed = before.length - (after.length - added);
  const counts = [...(added > 0 ? [`+${added}`] : []), ...(removed > 0 ? [`−${removed}`] : [])];
  if (counts.length > 0) return [`${field} ${counts.join(" ")}`];
  const changed = after.filter((item, index) => !jsonEqual(item, before[sources[index] ?? -1]));
  const names = changed.flatMap((item) => (isRecord(item) && typeof item["name"] === "string" ? [item["name"]] : []));
  if (changed.length === 0) return [`${field} reordered`];
  return [names.length === 0 || names.length > 2 ? `${field} changed` : `${field} changed at ${names.join(", ")}`];
}

function short(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  const text = String(value);
  return text === "" ? '""' : text.length <= 40 && !/[\n\r]/.test(text) ? text : undefined;
}

function cut(text: string): string {
  return text.length <= SUBJECT_LENGTH ? text : `${text.slice(0, SUBJECT_LENGTH - 1)}…`;
}
