import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { textOf } from "../../domain/work-graph/record/facts.ts";
import { timeOf } from "../../domain/work-graph/record/stamp.ts";
import type { GraphReader } from "../../ports/work-graph.ts";

const dayMs = 86_400_000;

/** Tier 1: closed for 30 days and not compacted. Tier 2: closed for 90 days and compacted once. */
export const tiers = { 1: { days: 30, level: 0 }, 2: { days: 90, level: 1 } } as const;
export type Tier = keyof typeof tiers;

/** Fields whose text a summary replaces. */
const bodyFields = ["description", "design", "notes", "acceptance_criteria"] as const;

export function compactionLevel(record: BeadRecord): number {
  const level = record["compaction_level"];
  return typeof level === "number" ? level : 0;
}

/** Characters of a bead's texts and comments. */
export function bodySize(record: BeadRecord): number {
  const comments = Array.isArray(record.comments) ? record.comments : [];
  return (
    bodyFields.reduce((sum, field) => sum + textOf(record[field]).length, 0) +
    comments.reduce((sum, { text }) => sum + textOf(text).length, 0)
  );
}

/** Closed beads old enough for a tier whose text is worth shortening, largest first. */
export function compactable(
  graph: GraphReader,
  options: { readonly tier: Tier; readonly days?: number; readonly now: number },
): readonly BeadRecord[] {
  const { days, level } = tiers[options.tier];
  const before = options.now - (options.days ?? days) * dayMs;
  return graph
    .list({ status: ["closed"] })
    .filter(
      (record) =>
        record.ephemeral !== true &&
        record.is_template !== true &&
        record.pinned !== true &&
        compactionLevel(record) === level &&
        (timeOf(record.closed_at) ?? Number.POSITIVE_INFINITY) < before &&
        bodySize(record) > summaryLimit(options.tier) &&
        // What somebody still waits for or works below is not history yet.
        graph.childrenOf(record.id).every(({ status }) => status === "closed"),
    )
    .toSorted((a, b) => bodySize(b) - bodySize(a));
}

function summaryLimit(tier: Tier): number {
  return tier === 1 ? 600 : 200;
}

/**
 * The mechanical summary of a bead: the beginning of what it said, how it was decided and how it ended. Always shorter than
 * what it replaces.
 */
export function mechanicalSummary(record: BeadRecord, tier: Tier): string {
  const limit = summaryLimit(tier);
  const reason = textOf(record.close_reason);
  const lead = firstSentences(textOf(record.description), Math.floor(limit * 0.6));
  const design = tier === 1 ? firstSentences(textOf(record.design), Math.floor(limit * 0.2)) : "";
  return [
    lead,
    ...(design === "" ? [] : [`Design: ${design}`]),
    ...(reason === "" || reason === "Closed" ? [] : [`Outcome: ${shortened(reason, Math.floor(limit * 0.2))}`]),
  ]
    .filter((part) => part !== "")
    .join("\n")
    .slice(0, limit);
}

function firstSentences(text: string, limit: number): string {
  const flat = text
    .replace(/```[\s\S]*?```/g, "")
    .replace(/\s+/g, " ")
    .trim();
  if (flat.length <= limit) return flat;
  const end = Math.max(flat.lastIndexOf(". ", limit), flat.lastIndexOf("! ", limit), flat.lastIndexOf("? ", limit));
  return end > limit / 3 ? flat.slice(0, end + 1) : shortened(flat, limit);
}

function shortened(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit - 1).trimEnd()}…`;
}

/** What compaction sets: the summary in place of the texts, and where the full ones are. Comments stay. */
export function compactedFields(
  record: BeadRecord,
  compacted: { readonly summary: string; readonly tier: Tier; readonly commit: string; readonly now: number },
): Readonly<Record<string, unknown>> {
  const known = record["original_size"];
  return {
    description: compacted.summary,
    design: null,
    notes: null,
    acceptance_criteria: null,
    compaction_level: compacted.tier,
    compacted_at: new Date(compacted.now).toISOString(),
    // The first compaction's commit holds the texts as they were written.
    compacted_at_commit: record["compacted_at_commit"] ?? compacted.commit,
    original_size: typeof known === "number" && known > 0 ? known : bodySize(record),
  };
}
