import type { BeadRecord } from "../bead.ts";

/** How a file writes JSON, so that changed lines look like their neighbours. */
export interface LineStyle {
  /** `<`, `>` and `&` as `\u003c` …, as Go does. */
  readonly escapesHtml: boolean;
  /** `": "` and `", "`, as Python does. */
  readonly spaced: boolean;
}

// The order of Beads' struct: its own writers keep it, and diffs of files stay small.
const keyOrder = [
  "_type",
  "id",
  "content_hash",
  "title",
  "description",
  "design",
  "acceptance_criteria",
  "notes",
  "spec_id",
  "status",
  "priority",
  "issue_type",
  "assignee",
  "owner",
  "estimated_minutes",
  "created_at",
  "created_by",
  "updated_at",
  "started_at",
  "closed_at",
  "close_reason",
  "closed_by_session",
  "lease_expires_at",
  "heartbeat_at",
  "due_at",
  "defer_until",
  "external_ref",
  "source_system",
  "source_repo",
  "source_repo_path",
  "metadata",
  "compaction_level",
  "compacted_at",
  "compacted_at_commit",
  "original_size",
  "labels",
  "dependencies",
  "comments",
  "deleted_at",
  "deleted_by",
  "delete_reason",
  "original_type",
  "sender",
  "ephemeral",
  "no_history",
  "wisp_type",
  "pinned",
  "is_template",
  "bonded_from",
  "creator",
  "validations",
  "await_type",
  "await_id",
  "timeout",
  "waiters",
  "holder",
  "source_formula",
  "source_location",
  "hook_bead",
  "role_bead",
  "agent_state",
  "last_activity",
  "role_type",
  "rig",
  "mol_type",
  "work_type",
  "event_kind",
  "actor",
  "target",
  "payload",
] as const;
const edgeOrder = ["issue_id", "depends_on_id", "type", "created_at", "created_by", "metadata", "thread_id"] as const;
const commentOrder = ["id", "issue_id", "author", "text", "created_at"] as const;

/** The manner in which a file's issue lines are written. Default: neither escapes nor spaces. */
export function styleOf(text: string): LineStyle {
  const sample = text.slice(0, 200_000);
  return { escapesHtml: /\\u00(3c|3e|26)/.test(sample), spaced: /^\{"[^"]+": /m.test(sample) };
}

/** The line of a record, without line end. */
export function issueLine(record: BeadRecord, style: LineStyle): string {
  const ordered = inOrder(record, keyOrder);
  if (Array.isArray(ordered["dependencies"]))
    ordered["dependencies"] = ordered["dependencies"].map((edge: object) => inOrder(edge, edgeOrder));
  if (Array.isArray(ordered["comments"]))
    ordered["comments"] = ordered["comments"].map((comment: object) => inOrder(comment, commentOrder));
  const text = style.spaced ? spacedJson(ordered) : JSON.stringify(ordered);
  return style.escapesHtml ? escapedHtml(text) : text;
}

function inOrder(value: object, order: readonly string[]): Record<string, unknown> {
  const source = value as Readonly<Record<string, unknown>>;
  const ordered: Record<string, unknown> = {};
  for (const key of order) if (source[key] !== undefined) ordered[key] = source[key];
  for (const [key, item] of Object.entries(source)) if (item !== undefined && !(key in ordered)) ordered[key] = item;
  return ordered;
}

function spacedJson(value: unknown): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(spacedJson).join(", ")}]`;
  const items = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}: ${spacedJson(item)}`);
  return `{${items.join(", ")}}`;
}

// These characters stand in JSON only inside of strings.
function escapedHtml(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
