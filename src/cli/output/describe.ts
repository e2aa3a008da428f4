import type { Condition } from "../../resource/condition.ts";
import type { ApiObject } from "../resources/objects.ts";
import { ageOf } from "./age.ts";
import { plainText } from "./terminal-text.ts";
import { tableLines } from "./table.ts";

/** `core/v1 Event`, as far as it is shown. */
export interface EventObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly count?: number;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
  readonly reportingComponent?: string;
  readonly source?: { readonly component?: string };
  readonly involvedObject?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly creationTimestamp?: string;
    readonly resourceVersion?: string;
  };
}

const HIDDEN_METADATA = new Set(["name", "namespace", "labels", "annotations", "managedFields", "creationTimestamp"]);
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** What `describe` prints of any object: identity, every field, conditions as a table, then its events unless they are undefined. */
export function describeText(object: ApiObject, events: readonly EventObject[] | undefined, nowMs: number): string {
  const { metadata } = object;
  const { conditions, ...status } = (object.status ?? {}) as { readonly conditions?: readonly Condition[] };
  const rest = Object.fromEntries(Object.entries(metadata).filter(([key]) => !HIDDEN_METADATA.has(key)));
  const others = Object.entries(object).filter(
    ([key]) => !["apiVersion", "kind", "metadata", "spec", "status"].includes(key),
  );
  const head: [string, string][] = [["Name:", metadata.name]];
  if (metadata.namespace !== undefined) head.push(["Namespace:", metadata.namespace]);
  const annotations = Object.fromEntries(
    Object.entries(metadata.annotations ?? {}).filter(([key]) => key !== LAST_APPLIED),
  );
  const text = [
    ...head.map(([label, value]) => `${label.padEnd(14)}${value}\n`),
    pairs("Labels:", metadata.labels),
    pairs("Annotations:", annotations),
    `${"API Version:".padEnd(14)}${object.apiVersion}\n`,
    `${"Kind:".padEnd(14)}${object.kind}\n`,
    `${"Created:".padEnd(14)}${metadata.creationTimestamp ?? "<unknown>"} (${ageOf(metadata.creationTimestamp, nowMs)} ago)\n`,
    section("Metadata", rest),
    section("Spec", object.spec),
    ...others.map(([key, value]) => section(label(key), value)),
    section("Status", status),
    conditionText(conditions ?? [], nowMs),
    events === undefined ? "" : eventText(events, nowMs),
  ];
  return plainText(text.join(""));
}

function pairs(title: string, values: Readonly<Record<string, string>> | undefined): string {
  const lines = Object.entries(values ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value.replace(/\n/g, " ")}`);
  if (lines.length === 0) return `${title.padEnd(14)}<none>\n`;
  return lines.map((line, index) => `${(index === 0 ? title : "").padEnd(14)}${line}\n`).join("");
}

function section(title: string, value: unknown): string {
  if (value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0))
    return "";
  return field(title, value, 0);
}

/** `Replicas:  3`; nested maps and lists indented by two, as kubectl's generic describer does. */
function field(title: string, value: unknown, depth: number): string {
  const indent = "  ".repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return "";
    return `${indent}${title}:\n${value.map((item) => element(item, depth + 1)).join("")}`;
  }
  if (typeof value === "object" && value !== null) {
    const inner = Object.entries(value).map(([key, item]) => field(label(key), item, depth + 1));
    return inner.length === 0 ? "" : `${indent}${title}:\n${inner.join("")}`;
  }
  const text = String(value);
  if (text.includes("\n"))
    return `${indent}${title}:\n${text
      .trimEnd()
      .split("\n")
      .map((line) => `${indent}  ${line}`.trimEnd())
      .join("\n")}\n`;
  return `${indent}${title}:  ${text}`.trimEnd().concat("\n");
}

function element(item: unknown, depth: number): string {
  if (typeof item !== "object" || item === null) return `${"  ".repeat(depth)}${String(item)}\n`;
  const block = Array.isArray(item)
    ? item.map((inner) => element(inner, depth + 1)).join("")
    : Object.entries(item)
        .map(([key, inner]) => field(label(key), inner, depth + 1))
        .join("");
  return block.replace("  ".repeat(depth + 1), `${"  ".repeat(depth)}- `);
}

/** `restartLimit` as `Restart Limit`; a key that is no identifier (a label, say) stays as it is. */
function label(key: string): string {
  if (!/^[a-z][A-Za-z0-9]*$/.test(key)) return key;
  const words = key.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2");
  return (words[0] ?? "").toUpperCase() + words.slice(1);
}

function conditionText(conditions: readonly Condition[], nowMs: number): string {
  if (conditions.length === 0) return "";
  const rows = conditions.map((condition) => [
    condition.type,
    condition.status,
    condition.reason,
    ageOf(condition.lastTransitionTime, nowMs),
    condition.message,
  ]);
  return `Conditions:\n${indented(tableLines({ headers: ["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"], rows }))}`;
}

function eventText(events: readonly EventObject[], nowMs: number): string {
  if (events.length === 0) return "Events:         <none>\n";
  const rows = events.map((event) => [
    event.type ?? "Normal",
    event.reason ?? "",
    eventAge(event, nowMs),
    componentOf(event),
    event.message ?? "",
  ]);
  return `Events:\n${indented(tableLines({ headers: ["TYPE", "REASON", "AGE", "FROM", "MESSAGE"], rows }))}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function componentOf(event: EventObject): string {
  return event.source?.component || event.reportingComponent || "<unknown>";
}

/** When an event happened last, ms since the epoch. */
export function eventTimeMs(event: EventObject): number {
  return (
    Date.parse(
      event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp ?? "",
    ) || 0
  );
}

/** What happened, oldest first: by time, within a second (all that times tell) by what the server wrote first. */
export function inEventOrder(events: readonly EventObject[]): readonly EventObject[] {
  return events
    .map((event) => ({ event, ms: eventTimeMs(event), written: Number(event.metadata.resourceVersion ?? 0) || 0 }))
    .sort((a, b) => a.ms - b.ms || a.written - b.written)
    .map(({ event }) => event);
}

/** `33s (x3 over 63s)` for a repeated event. */
export function eventAge(event: EventObject, nowMs: number): string {
  const last = ageOf(
    event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata.creationTimestamp,
    nowMs,
  );
  return (event.count ?? 1) > 1 ? `${last} (x${event.count} over ${ageOf(event.firstTimestamp, nowMs)})` : last;
}
