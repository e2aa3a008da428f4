import type { Condition } from "../../resource/condition.ts";
import type { ApiObject } from "./objects.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a value; none when it is no object. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** A text that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** 0 when it is no number. */
export function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** `key` with its value, nothing when there is none. */
export function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);
}

export function conditionsOf(object: ApiObject | undefined): readonly Condition[] {
  const { conditions } = fieldsOf(object?.status);
  return Array.isArray(conditions) ? (conditions as readonly Condition[]) : [];
}

/** `NAMESPACE/NAME`; what has no namespace is the town's. */
export function placeOf({ metadata }: ApiObject): string {
  return `${metadata.namespace ?? "hq"}/${metadata.name}`;
}

export function readyCondition(object: ApiObject | undefined): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === "Ready");
}

/** `True`, `False` or `Unknown`. */
export function readyOf(object: ApiObject | undefined): string {
  return readyCondition(object)?.status ?? "Unknown";
}

/** Merge requests that have not ended. */
const OPEN_MERGES = new Set(["Queued", "Testing", "Waiting"]);

export function isOpenMerge(request: ApiObject): boolean {
  return OPEN_MERGES.has(textOf(fieldsOf(request.status)["state"]) ?? "Queued");
}
