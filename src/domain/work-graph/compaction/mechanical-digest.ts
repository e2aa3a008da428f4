import type { BeadRecord } from "../bead.ts";
import { textOf } from "../record/facts.ts";
import { timeOf } from "../record/stamp.ts";
import type { Tier } from "./digest.ts";
import { bodySize, compactionLevel } from "./digest.ts";

const dayMs = 86_400_000;

/** Tier 1: closed for 30 days and not compacted. Tier 2: closed for 90 days and compacted once. As Beads has them. */
const tiers: Readonly<Record<Tier, { readonly days: number; readonly level: number; readonly limit: number }>> = {
  1: { days: 30, level: 0, limit: 600 },
  2: { days: 90, level: 1, limit: 200 },
};

export interface CompactionRule {
  readonly tier: Tier;
  /** Closed for so long. Default: that of the tier. */
  readonly days?: number;
  readonly now: number;
}

/**
 * Whether a bead may be compacted: it is closed for long enough, nothing below it is open, and its texts are longer than any
 * digest of the tier. Wisps, templates and pinned beads are left as they are.
 */
export function mayCompact(record: BeadRecord, children: Iterable<BeadRecord>, rule: CompactionRule): boolean {
  const { days, level, limit } = tiers[rule.tier];
  const before = rule.now - (rule.days ?? days) * dayMs;
  if (record.status !== "closed" || compactionLevel(record) !== level) return false;
  if (record.ephemeral === true || record.is_template === true || record.pinned === true) return false;
  if ((timeOf(record.closed_at) ?? Number.POSITIVE_INFINITY) >= before || bodySize(record) <= limit) return false;
  for (const { status } of children) if (status !== "closed") return false;
  return true;
}

/**
 * What is left of a bead without anybody reading it: the beginning of what it said, how it was decided, and how it ended.
 * Never longer than 600 characters in tier 1, 200 in tier 2.
 */
export function mechanicalDigest(record: BeadRecord, tier: Tier): string {
  const { limit } = tiers[tier];
  const reason = textOf(record.close_reason);
  const lead = firstSentences(textOf(record.description), Math.floor(limit * 0.6));
  const design = tier === 1 ? firstSentences(textOf(record.design), Math.floor(limit * 0.2)) : "";
  const parts = [
    lead,
    ...(design === "" ? [] : [`Design: ${design}`]),
    ...(reason === "" || reason === "Closed" ? [] : [`Outcome: ${cutText(reason, Math.floor(limit * 0.2) - 9)}`]),
  ];
  return cutText(parts.filter((part) => part !== "").join("\n"), limit);
}

function firstSentences(text: string, limit: number): string {
  const flat = text
    .replace(/```[\s\S]*?```/g, "")
    .replace(/\s+/g, " ")
    .trim();
  if (flat.length <= limit) return flat;
  const end = Math.max(flat.lastIndexOf(". ", limit), flat.lastIndexOf("! ", limit), flat.lastIndexOf("? ", limit));
  return end > limit / 3 ? flat.slice(0, end + 1) : cutText(flat, limit);
}

/** At most `limit` code units, with no half of a surrogate pair at the end. */
function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "");
  return `${kept.trimEnd()}…`;
}
