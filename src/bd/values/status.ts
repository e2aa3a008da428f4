import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import { nearest } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";

/** A known status, `-` for `_` forgiven. Throws TownError `Usage`. */
export function statusOf(text: string, book: StatusBook): string {
  const status = text.trim().toLowerCase();
  for (const name of [status, status.replaceAll("-", "_")]) if (book.categoryOf(name) !== undefined) return name;
  const meant = nearest(status, book.names);
  throw usageError(
    `invalid status "${text}"`,
    meant === undefined ? `statuses are ${book.names.join(", ")}` : `did you mean ${meant}?`,
  );
}
