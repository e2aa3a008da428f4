import type { BeadRecord } from "../bead.ts";
import { timeOf } from "../record/stamp.ts";

export interface SearchHit {
  readonly record: BeadRecord;
  /** Higher is better; only for ordering. */
  readonly score: number;
}

const weights: readonly (readonly [field: string, weight: number])[] = [
  ["id", 8],
  ["title", 5],
  ["external_ref", 4],
  ["description", 2],
  ["acceptance_criteria", 2],
  ["design", 1],
  ["notes", 1],
  ["close_reason", 1],
];

/**
 * Beads that hold every word of a query, in any of their texts, labels or comments, best first: words in the title count
 * more than words elsewhere, open ones before closed ones of the same weight, newer before older.
 */
export function searchBeads(records: Iterable<BeadRecord>, query: string): readonly SearchHit[] {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  if (words.length === 0) return [];
  const hits: SearchHit[] = [];
  for (const record of records) {
    const score = scoreOf(record, words);
    if (score > 0) hits.push({ record, score: record.status === "closed" ? score - 0.5 : score });
  }
  return hits.sort(
    (a, b) => b.score - a.score || (timeOf(b.record.updated_at) ?? 0) - (timeOf(a.record.updated_at) ?? 0),
  );
}

function scoreOf(record: BeadRecord, words: readonly string[]): number {
  let total = 0;
  for (const word of words) {
    const score = wordScore(record, word);
    if (score === 0) return 0;
    total += score;
  }
  return total;
}

function wordScore(record: BeadRecord, word: string): number {
  let score = 0;
  for (const [field, weight] of weights) {
    const value = record[field];
    if (typeof value === "string" && value.toLowerCase().includes(word)) score += weight;
  }
  if (Array.isArray(record.labels) && record.labels.some((label) => String(label).toLowerCase().includes(word)))
    score += 3;
  if (Array.isArray(record.comments) && record.comments.some(({ text }) => String(text).toLowerCase().includes(word)))
    score += 1;
  return score;
}
