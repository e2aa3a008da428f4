import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
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

const keyOf = (name: string): string => `escalation/${name}`;
/** What loops raise about a bead, by the beginning of the key: it is over once the bead is done. */
const ABOUT_PROGRESS = ["attempts/", "returned/", "unresponsive/"].map(keyOf);
/** Of those, what blocked the bead for a person: it is over once the bead is free again. */
const ABOUT_ATTEMPTS = keyOf("attempts/");

/** Closes what asks a person to get the bead going: it got there. What agents and people raised stays. */
export function endEscalationsAbout(tx: GraphTransaction, bead: string, reason: string): void {
  for (const escalation of raisedByLoops(tx))
    if (escalation.metadata?.[META.bead] === bead) tx.close(escalation.id, { reason, force: true });
}

/** Closes what a person answered by closing the bead, by deleting it, or by setting it free. */
export function endAnsweredEscalations(tx: GraphTransaction, bead: string): void {
  for (const { id, about, because } of answeredEscalations(tx))
    if (about === bead) tx.close(id, { reason: because, force: true });
}

/** Open escalations of loops whose bead needs nobody any more. */
export function answeredEscalations(
  graph: GraphReader,
): readonly { readonly id: string; readonly about: string; readonly because: string }[] {
  return raisedByLoops(graph).flatMap((escalation) => {
    const about = metaText(escalation, META.bead);
    if (about === undefined) return [];
    const status = graph.get(about)?.status;
    const isFree = status !== "blocked" && (metaText(escalation, META.key) ?? "").startsWith(ABOUT_ATTEMPTS);
    if (status !== undefined && status !== "closed" && !isFree) return [];
    return [{ id: escalation.id, about, because: `${about} is ${status ?? "deleted"}` }];
  });
}

function raisedByLoops(graph: GraphReader): readonly BeadRecord[] {
  return graph.list({ type: ["escalation"], status: ["open", "in_progress"] }).filter((record) => {
    const key = metaText(record, META.key) ?? "";
    return ABOUT_PROGRESS.some((prefix) => key.startsWith(prefix));
  });
}

/** Raises an escalation: something that waits for a person, kept in git. */
export function raiseEscalation(tx: GraphTransaction, what: NewEscalation): BeadRecord {
  const key = what.key === undefined ? undefined : keyOf(what.key);
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
