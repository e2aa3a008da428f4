import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord } from "../bead.ts";
import { generationOf, isClaimed } from "../record/facts.ts";

/** Who changes a record, and when. */
export interface ChangeContext {
  readonly actor: string;
  /** `<agent>@<generation>` when a session acts. */
  readonly session?: string | undefined;
  /** Time of the transaction, ms. */
  readonly now: number;
  /** The same as it is written into records. */
  readonly stamp: string;
}

/** Generation of a session text `<agent>@<generation>`. */
export function generationOfSession(session: string | undefined): number | undefined {
  const digits = /@(\d{1,15})$/.exec(session ?? "")?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Refuses a session that an newer one of the same agent has replaced: what it still says about its former hook is void.
 * Throws TownError `Fenced`.
 */
export function requireCurrentSession(what: string, record: BeadRecord, context: ChangeContext): void {
  if (!isClaimed(record) || record.assignee !== context.actor) return;
  const mine = generationOfSession(context.session);
  const holding = generationOf(record);
  if (mine === undefined || holding === undefined || mine >= holding) return;
  throw new TownError(
    "Fenced",
    `Cannot ${what} ${record.id}: session generation ${mine} of ${context.actor} was replaced by ${holding}, which holds the bead.`,
    {
      hint: "Stop working on it: the newer session has it.",
    },
  );
}

/** Refuses to touch the claim of somebody else. Throws TownError `NotHolder`. */
export function requireHolder(what: string, record: BeadRecord, context: ChangeContext): void {
  if (!isClaimed(record) || record.assignee === context.actor) return;
  throw new TownError("NotHolder", `Cannot ${what} ${record.id}: ${record.assignee} holds it (${record.status}).`, {
    hint: `Ask ${record.assignee} to release it, or use --force.`,
  });
}
