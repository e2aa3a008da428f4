import { TownError } from "../../../errors/town-error.ts";

/** What a status means for readiness: `active` may be ready, `wip` is somebody's, `done` unblocks, `frozen` waits. */
export type StatusCategory = "active" | "wip" | "done" | "frozen";

const builtIn: Readonly<Record<string, StatusCategory>> = {
  open: "active",
  in_progress: "wip",
  blocked: "wip",
  hooked: "wip",
  deferred: "frozen",
  pinned: "frozen",
  closed: "done",
};

/** Status of a deleted record, which stays so that the deletion travels. */
export const tombstone = "tombstone";

/** The statuses of a store: Beads' own and custom ones. */
export interface StatusBook {
  readonly names: readonly string[];
  /** Undefined for a status nobody declared (files of other tools hold such): never ready, and it blocks. */
  categoryOf(status: string): StatusCategory | undefined;
}

/**
 * Reads Beads' `status.custom`: `name[:active|wip|done|frozen],…`, category default `active`.
 * Throws TownError `InvalidStatus` naming the entry.
 */
export function statusBook(custom = ""): StatusBook {
  const categories = new Map(Object.entries(builtIn));
  for (const entry of custom.split(",").map((text) => text.trim())) {
    if (entry === "") continue;
    const [name = "", category = "active"] = entry.split(":");
    if (!/^[a-z][a-z0-9_-]{0,49}$/.test(name) || !isCategory(category)) {
      throw new TownError("InvalidStatus", `Cannot read the custom status '${entry}'.`, {
        hint: "Write `name:category` with a lower-case name and one of active, wip, done, frozen.",
      });
    }
    if (!(name in builtIn)) categories.set(name, category);
  }
  return { names: [...categories.keys()], categoryOf: (status) => categories.get(status) };
}

/** The statuses of a store with these settings (`status.custom`). Throws TownError `InvalidStatus`. */
export function statusesOf(settings: Readonly<Record<string, string>>): StatusBook {
  return statusBook(settings["status.custom"] ?? "");
}

function isCategory(text: string): text is StatusCategory {
  return text === "active" || text === "wip" || text === "done" || text === "frozen";
}

export const standardStatuses: StatusBook = statusBook();

/** Names of the statuses that are settled, for leaving those beads asleep. */
export function settledNames(book: StatusBook): readonly string[] {
  return book.names.filter((name) => isSettled(name, book));
}

/** Closed in the sense of dependencies: the work will not be waited for. */
export function isSettled(status: string, book: StatusBook): boolean {
  return status === "closed" || status === "pinned" || status === tombstone || book.categoryOf(status) === "done";
}
