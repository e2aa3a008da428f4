import { fieldsOf, optional, readyOf, textOf } from "./object-fields.ts";
import type { ApiObject } from "./objects.ts";

/** Kinds that a town on one screen is made of, in the order in which their problems are listed. */
export const SUMMARY_KINDS = [
  "Town",
  "Rig",
  "Provider",
  "AgentPool",
  "Agent",
  "Session",
  "Convoy",
  "MergeRequest",
  "Escalation",
] as const;
export type SummaryKind = (typeof SUMMARY_KINDS)[number];

/** What every view of a town begins with. */
export interface TownFacts {
  readonly name: string;
  /** Synced, OutOfSync or Unknown. */
  readonly sync: string;
  readonly revision?: string;
  /** Healthy, Progressing, Degraded, Suspended, Missing or Unknown. */
  readonly health: string;
  readonly suspended: boolean;
  readonly runtime?: string;
}

/** `town`: undefined while it was not read. */
export function townFacts(town: ApiObject | undefined): TownFacts {
  const status = fieldsOf(town?.status);
  const sync = fieldsOf(status["sync"]);
  return {
    name: town?.metadata.name ?? "hq",
    sync: textOf(sync["status"]) ?? "Unknown",
    ...optional("revision", textOf(sync["appliedRevision"])),
    health: textOf(status["health"]) ?? readyOf(town),
    suspended: town?.spec?.["suspend"] === true,
    ...optional("runtime", textOf(status["runtime"])),
  };
}
