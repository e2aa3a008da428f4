import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import { nearest } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";

/** What other trackers call a status. */
const meanings: Readonly<Record<string, string>> = {
  active: "in_progress",
  complete: "closed",
  completed: "closed",
  doing: "in_progress",
  done: "closed",
  finished: "closed",
  fixed: "closed",
  new: "open",
  paused: "deferred",
  ready: "open",
  resolved: "closed",
  started: "in_progress",
  todo: "open",
  wip: "in_progress",
};

/** A known status, `-` for `_` forgiven. Throws TownError `Usage`. */
export function statusOf(text: string, book: StatusBook): string {
  const status = text.trim().toLowerCase();
  for (const name of [status, status.replaceAll("-", "_")]) if (book.categoryOf(name) !== undefined) return name;
  const meant = Object.hasOwn(meanings, status) ? meanings[status] : nearest(status, book.names);
  throw usageError(
    `invalid status "${text}"`,
    meant === undefined ? `statuses are ${book.names.join(", ")}` : `did you mean ${meant}?`,
  );
}
