import type { BeadRecord } from "../bead.ts";
import { sameJson } from "../record/canonical.ts";
import { metadataOf, withFields } from "../record/facts.ts";
import { compareStamps, parseStamp } from "../record/stamp.ts";

export type ImportOutcome = "Created" | "Updated" | "Unchanged" | "Older";

/**
 * What importing one record does to the one that is here. An older one never overwrites a newer one, unless `allowStale`;
 * Town's own facts that a foreign tool does not write stay. One that bears no time of its own (`isUndated`) changes nothing
 * by being read again.
 */
export function importOutcome(
  here: BeadRecord | undefined,
  incoming: BeadRecord,
  options: { readonly allowStale?: boolean | undefined; readonly isUndated?: boolean } = {},
): { readonly outcome: ImportOutcome; readonly record: BeadRecord } {
  if (here === undefined) return { outcome: "Created", record: incoming };
  // What is in the history cannot become a wisp, which has none.
  const lasting =
    incoming.ephemeral === true && here.ephemeral !== true ? withFields(incoming, { ephemeral: undefined }) : incoming;
  const record = withTownFacts(here, lasting);
  const { created_at, updated_at } = here;
  if (options.isUndated === true && sameJson(here, { ...record, created_at, updated_at }))
    return { outcome: "Unchanged", record: here };
  if (sameJson(here, record)) return { outcome: "Unchanged", record: here };
  const [old, fresh] = [here, incoming].map(({ updated_at: at }) => parseStamp(at));
  if (options.allowStale !== true && old !== undefined && fresh !== undefined && compareStamps(fresh, old) < 0)
    return { outcome: "Older", record: here };
  return { outcome: "Updated", record };
}

function withTownFacts(here: BeadRecord, incoming: BeadRecord): BeadRecord {
  const given = metadataOf(incoming);
  const kept = Object.entries(metadataOf(here)).filter(([key]) => key.startsWith("town.") && !(key in given));
  if (kept.length === 0) return incoming;
  return withFields(incoming, { metadata: { ...given, ...Object.fromEntries(kept) } });
}
