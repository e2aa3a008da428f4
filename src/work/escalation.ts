import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { metaText } from "./record-fields.ts";

export const SEVERITIES = ["critical", "high", "medium", "low"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Metadata keys of a bead of type `escalation`. */
export const ESCALATION = { severity: "town.severity", agent: "town.agent" } as const;

export interface NewEscalation {
  readonly title: string;
  readonly text: string;
  readonly severity: Severity;
  /** Bead that it is about. */
  readonly bead?: string;
  /** Identity of the agent that it is about. */
  readonly agent?: string;
  /** An open escalation with the same key is the one. */
  readonly key?: string;
}

/** What loops raise about a bead, by the beginning of the key: it is over once the bead is done. */
const ABOUT_PROGRESS = ["attempts/", "returned/", "unresponsive/"].map((key) => `escalation/${key}`);

/** Closes what asks a person to get the bead going: it got there. What agents and people raised stays. */
export function endEscalationsAbout(tx: GraphTransaction, bead: string, reason: string): void {
  for (const record of tx.list({ type: ["escalation"], status: ["open", "in_progress"] })) {
    const key = metaText(record, META.key) ?? "";
    if (record.metadata?.[META.bead] === bead && ABOUT_PROGRESS.some((prefix) => key.startsWith(prefix)))
      tx.close(record.id, { reason, force: true });
  }
}

/** Raises an escalation: something that waits for a person, kept in git. */
export function raiseEscalation(tx: GraphTransaction, what: NewEscalation): BeadRecord {
  const key = what.key === undefined ? undefined : `escalation/${what.key}`;
  const former = key === undefined ? undefined : tx.byKey(key);
  if (former !== undefined) return former.status === "closed" ? tx.reopen(former.id, { reason: "it is back" }) : former;
  return tx.create({
    title: what.title,
    description: what.text,
    issue_type: "escalation",
    priority: SEVERITIES.indexOf(what.severity),
    metadata: {
      [ESCALATION.severity]: what.severity,
      ...(key === undefined ? {} : { [META.key]: key }),
      ...(what.bead === undefined ? {} : { [META.bead]: what.bead }),
      ...(what.agent === undefined ? {} : { [ESCALATION.agent]: what.agent }),
    },
  });
}
