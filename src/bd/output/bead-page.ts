import type { BeadRecord, DependencyEdge } from "../../domain/work-graph/bead.ts";
import { isDigest } from "../../domain/work-graph/compaction/digest.ts";
import { edgesOf, parentChild } from "../../domain/work-graph/record/edges.ts";
import { leaseExpired } from "../../domain/work-graph/rules/claim.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { GraphReader, HistoryEntry } from "../../ports/work-graph.ts";
import type { Paint } from "./paint.ts";
import { priorityText, statusIcon } from "./paint.ts";
import { cleanLine, cleanText, cut, displayWidth, wrap } from "./plain-text.ts";
import { agoText, timeText } from "./time-text.ts";

export interface PageStyle {
  readonly paint: Paint;
  readonly columns: number | undefined;
  readonly now: number;
  readonly own: (text: string) => string;
}

export interface PageParts {
  readonly graph: GraphReader;
  /** A bead of any store. */
  readonly lookup: (id: string) => BeadRecord | undefined;
  readonly history: readonly HistoryEntry[];
}

/** A bead as `show` prints it: what it says, what it hangs on, what was said about it, and what happened to it. */
export function beadPage(record: BeadRecord, parts: PageParts, style: PageStyle): string {
  return [
    headLines(record, parts, style).join("\n"),
    ...bodies(record, style),
    ...relations(record, parts, style),
    ...comments(record, style),
    ...historySection(record.id, parts.history, style),
  ].join("\n\n");
}

function headLines(
  record: BeadRecord,
  { graph }: PageParts,
  { paint, columns, now, own }: PageStyle,
): readonly string[] {
  const state = graph.isBlocked(record.id) ? `${record.status}, blocked` : record.status;
  const title = `${statusIcon(record.status, paint)} ${paint("bold", cleanLine(record.id))} · ${cleanLine(record.title)}`;
  const lines = [
    facts([
      ["Type", record.issue_type],
      ["Assignee", record.assignee],
      ["Owner", record.owner],
      ["Parent", graph.parentOf(record.id)?.id],
    ]),
    facts([
      ["Created", `${timeText(record.created_at)}${record.created_by === undefined ? "" : ` by ${record.created_by}`}`],
      ["Updated", timeText(record.updated_at)],
    ]),
    facts([
      ["Claimed until", record.lease_expires_at === undefined ? undefined : leaseText(record, now, own)],
      ["Due", record.due_at === undefined ? undefined : dueText(record.due_at, now)],
      ["Deferred until", record.defer_until === undefined ? undefined : timeText(record.defer_until)],
      ["Estimate", record.estimated_minutes === undefined ? undefined : `${record.estimated_minutes} min`],
      ["External", record.external_ref],
      ["Labels", (record.labels ?? []).join(", ")],
    ]),
    facts([
      ["Closed", record.closed_at === undefined ? undefined : timeText(record.closed_at)],
      ["Reason", record.close_reason],
    ]),
    record.ephemeral === true ? "A wisp: it never reaches git." : "",
    compactedText(record, own),
  ];
  return [
    ...withBadge(wrap(title, columns), `[${priorityText(record.priority, paint)} · ${state.toUpperCase()}]`, columns),
    ...lines.filter((line) => line !== "").flatMap((line) => wrap(line, columns)),
  ];
}

/** A title with what stands behind it, which is never torn: it goes onto a line of its own when there is no room. */
function withBadge(title: readonly string[], badge: string, columns: number | undefined): readonly string[] {
  const last = `${title.at(-1)}   ${badge}`;
  return columns === undefined || displayWidth(last) <= columns ? [...title.slice(0, -1), last] : [...title, badge];
}

function compactedText(record: BeadRecord, own: PageStyle["own"]): string {
  if (!isDigest(record)) return "";
  const at = record["compacted_at"];
  const made = typeof at === "string" && at !== "" ? `, made ${timeText(at)}` : "";
  return own(`A digest${made}; the texts as they were: bd show ${record.id} --full`);
}

function facts(pairs: readonly (readonly [string, string | undefined])[]): string {
  return pairs
    .filter(([, value]) => (value ?? "") !== "")
    .map(([name, value]) => `${name}: ${cleanLine(value ?? "")}`)
    .join(" · ");
}

function leaseText(record: BeadRecord, now: number, own: PageStyle["own"]): string {
  return `${timeText(record.lease_expires_at)}${leaseExpired(record, now) ? own(" (expired: bd reclaim)") : ""}`;
}

function dueText(due: string, now: number): string {
  const ms = timeOf(due);
  return ms === undefined ? due : `${timeText(ms)} (${ms < now ? "overdue, " : ""}${agoText(ms, now)})`;
}

function bodies(record: BeadRecord, style: PageStyle): readonly string[] {
  const sections: readonly (readonly [string, string | undefined])[] = [
    ["DESCRIPTION", record.description],
    ["DESIGN", record.design],
    ["ACCEPTANCE CRITERIA", record.acceptance_criteria],
    ["NOTES", record.notes],
    ["METADATA", metadataText(record.metadata)],
  ];
  return sections
    .filter(([, body]) => (body ?? "").trim() !== "")
    .map(([name, body]) => section(name, wrap(cleanText((body ?? "").trimEnd()), style.columns), style));
}

// Keys under town. are the machinery's own; --json has them.
function metadataText(metadata: unknown): string | undefined {
  if (metadata === null || typeof metadata !== "object") return undefined;
  const own = Object.entries(metadata).filter(([key]) => !key.startsWith("town."));
  return own.map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join("\n");
}

function section(name: string, lines: readonly string[], { paint }: PageStyle): string {
  return [paint("bold", name), ...lines].join("\n");
}

interface Relation {
  readonly name: string;
  readonly sign: string;
  readonly ids: readonly string[];
}

function relations(record: BeadRecord, { graph, lookup }: PageParts, style: PageStyle): readonly string[] {
  const outgoing = edgesOf(record);
  const incoming = graph.dependentsOf(record.id);
  const to = (type: string): readonly string[] =>
    outgoing.filter((edge) => edge.type === type).map((edge) => edge.depends_on_id);
  const from = (type: string): readonly string[] =>
    incoming.filter((edge) => edge.type === type).map((edge) => edge.issue_id);
  const plainTypes = new Set(["blocks", parentChild]);
  const others = (edges: readonly DependencyEdge[]): readonly string[] =>
    [...new Set(edges.map(({ type }) => type))].filter((type) => !plainTypes.has(type));
  const all: readonly Relation[] = [
    { name: "DEPENDS ON", sign: "→", ids: to("blocks") },
    { name: "CHILDREN", sign: "↳", ids: graph.childrenOf(record.id).map(({ id }) => id) },
    { name: "BLOCKS", sign: "←", ids: from("blocks") },
    ...others(outgoing).map((type) => ({ name: relationName(type), sign: "→", ids: to(type) })),
    ...others(incoming)
      .filter((type) => type !== "relates-to")
      .map((type) => ({ name: incomingNames[type] ?? `${relationName(type)} (FROM)`, sign: "←", ids: from(type) })),
  ];
  return all
    .filter(({ ids }) => ids.length > 0)
    .map(({ name, sign, ids }) =>
      section(
        name,
        ids.map((id) => `  ${sign} ${relationLine(id, lookup(id), style)}`),
        style,
      ),
    );
}

/** What an edge of somebody else makes of the bead it points at. */
const incomingNames: Readonly<Record<string, string>> = {
  "discovered-from": "DISCOVERED HERE",
  "waits-for": "WAITED FOR BY",
  "conditional-blocks": "RUN IF THIS FAILS",
  "merge-blocks": "WAIT UNTIL THIS IS MERGED",
  duplicates: "DUPLICATES OF THIS",
  supersedes: "SUPERSEDED BY THIS",
  tracks: "TRACKED BY",
  related: "RELATED",
  "replies-to": "REPLIES",
  validates: "VALIDATED BY",
};

function relationName(type: string): string {
  return cleanLine(type).replaceAll("-", " ").toUpperCase();
}

function relationLine(id: string, record: BeadRecord | undefined, { paint, columns }: PageStyle): string {
  if (record === undefined) return `${cleanLine(id)} (not in this store)`;
  const lead = `${statusIcon(record.status, paint)} ${cleanLine(record.id)} [${priorityText(record.priority, paint)}] `;
  const room = columns === undefined ? undefined : Math.max(20, columns - displayWidth(lead) - 4);
  return `${lead}${cut(cleanLine(record.title), room)}`;
}

function comments(record: BeadRecord, style: PageStyle): readonly string[] {
  const all = Array.isArray(record.comments) ? record.comments : [];
  if (all.length === 0) return [];
  return [
    section(
      "COMMENTS",
      all.flatMap((comment) => commentLines(comment, style)),
      style,
    ),
  ];
}

/** One comment: who and when, then the text below. */
export function commentLines(
  { author, created_at: time, text }: { readonly author: string; readonly created_at: string; readonly text: string },
  { paint, columns }: Pick<PageStyle, "paint" | "columns">,
): readonly string[] {
  const room = columns === undefined ? undefined : columns - 4;
  return [
    `  ${paint("dim", timeText(time))} ${paint("cyan", cleanLine(author))}`,
    ...wrap(cleanText(text.trimEnd()), room).map((line) => `    ${line}`),
  ];
}

const shownHistory = 20;

function historySection(id: string, history: readonly HistoryEntry[], style: PageStyle): readonly string[] {
  const told = history.flatMap(withoutMachinery);
  if (told.length === 0) return [];
  const last = told.slice(-shownHistory);
  const more =
    told.length > last.length ? [style.own(`  … ${told.length - last.length} earlier: bd history ${id}`)] : [];
  return [section("HISTORY", [...more, ...last.map((entry) => `  ${historyLine(entry, style)}`)], style)];
}

/** Facts that the loops keep on a bead say nothing to who reads it; `history` has them. */
function withoutMachinery(entry: HistoryEntry): readonly HistoryEntry[] {
  const changes = entry.changes.filter(({ field }) => !field.startsWith("metadata.town."));
  if (changes.length === entry.changes.length) return [entry];
  return changes.length === 0 && entry.event === "updated" ? [] : [{ ...entry, changes }];
}

/** `2026-11-22 18:05Z alice closed (reason: done)`. */
export function historyLine(
  { timeMs, actor, event, changes }: HistoryEntry,
  { paint, columns }: Pick<PageStyle, "paint" | "columns">,
): string {
  // A creation repeats the whole bead; what it says is shown above.
  const details =
    event === "created" ? "" : changes.map(({ field, from, to }) => changeText(field, from, to)).join(", ");
  const lead = `${timeText(timeMs)} ${cleanLine(actor)} ${event.replaceAll("_", " ")}`;
  const room = columns === undefined ? 300 : Math.max(10, columns - displayWidth(lead) - 5);
  const tail = details === "" ? "" : ` (${cut(details, room)})`;
  return `${paint("dim", timeText(timeMs))} ${cleanLine(actor)} ${event.replaceAll("_", " ")}${paint("dim", tail)}`;
}

function changeText(field: string, from: unknown, to: unknown): string {
  if (isStructure(from) || isStructure(to)) return to === undefined ? `${field} removed` : `${field} set`;
  if (from === undefined) return `${field}: ${valueText(to)}`;
  return to === undefined ? `${field}: ${valueText(from)} removed` : `${field}: ${valueText(from)} → ${valueText(to)}`;
}

/** Not words for a person: `--json` prints it. */
function isStructure(value: unknown): boolean {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return parts.some((part) => typeof part === "object" && part !== null);
}

function valueText(value: unknown): string {
  return cut(cleanLine(typeof value === "string" ? value : (JSON.stringify(value) ?? "")), 60);
}
