import type { StatusBook } from "../domain/work-graph/record/statuses.ts";
import { standardStatuses, statusesOf } from "../domain/work-graph/record/statuses.ts";
import type { Log } from "../ports/log.ts";
import type { StoreSettings } from "./store-settings.ts";

/** Statuses as the settings say. A setting that cannot be read must not keep a store shut: then Beads' own count. */
export function configuredStatuses(settings: StoreSettings, log: Log): StatusBook {
  try {
    return statusesOf(settings.values);
  } catch (error) {
    log.warn({ err: error }, "custom statuses of the work graph are not used");
    return standardStatuses;
  }
}
