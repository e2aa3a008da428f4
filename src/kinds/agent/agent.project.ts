import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import { AGENT } from "../../work/agent-record.ts";
import { handoffOf } from "../../work/handoff.ts";
import { joinedOf } from "../../work/joined.ts";
import { countsOf, modelUsageOf, usageOf } from "../../work/ledger.ts";
import { shownUsage } from "../../work/usage.ts";
import { metaText, seconds } from "../../work/record-fields.ts";

/** The Agent object of an identity record. Its status is the workers loop's. */
export function projectAgent(record: BeadRecord): ProjectedInput {
  const pool = metaText(record, AGENT.pool) ?? "";
  const used = shownUsage(usageOf(record));
  const models = Object.entries(modelUsageOf(record)).map(([model, each]) => ({ model, ...shownUsage(each) }));
  const handoff = handoffOf(record);
  const joined = joinedOf(record);
  const created = seconds(record.created_at);
  return {
    ...(created === undefined ? {} : { creationTimestamp: created }),
    labels: { "town.dev/pool": pool, "town.dev/role": metaText(record, AGENT.role) ?? "" },
    spec: {
      identity: record.title,
      role: metaText(record, AGENT.role) ?? "",
      pool,
      desired: metaText(record, AGENT.desired) ?? "Stopped",
      ...(handoff === undefined ? {} : { handedOff: handoff.generation }),
      ...(joined === undefined ? {} : { joined: joined.generation }),
    },
    status: {
      ledger: countsOf(record),
      ...(used === undefined ? {} : { usage: used }),
      ...(models.length === 0 ? {} : { models }),
    },
  };
}
