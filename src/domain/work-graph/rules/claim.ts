import { TownError } from "../../../errors/town-error.ts";
import type { BeadRecord } from "../bead.ts";
import { META } from "../bead.ts";
import { fenceOf, generationOf, isClaimed, withFields, withMetadata } from "../record/facts.ts";
import type { StatusBook } from "../record/statuses.ts";
import { timeOf } from "../record/stamp.ts";
import type { ChangeContext } from "./actor.ts";
import { generationOfSession, requireCurrentSession } from "./actor.ts";

/** How long a claim lasts without renewal when nobody says otherwise, ms: 4 h. */
export const defaultLeaseMs = 4 * 3_600_000;

export interface ClaimOptions {
  readonly status?: "in_progress" | "hooked";
  readonly generation?: number;
  readonly leaseMs?: number;
}

/**
 * The record with the claim of `assignee`: status, assignee, lease, generation and fence together. The holder's own claim
 * is kept (hooked may become in_progress; a newer generation raises the fence). Throws TownError `AlreadyClaimed`,
 * `NotClaimable` or `Fenced`.
 */
export function claimed(
  record: BeadRecord,
  assignee: string,
  options: ClaimOptions,
  context: ChangeContext,
  book: StatusBook,
): BeadRecord {
  const status = options.status ?? "in_progress";
  const generation =
    options.generation ?? (context.actor === assignee ? generationOfSession(context.session) : undefined);
  const holder = record.assignee ?? "";
  if (isClaimed(record) && holder === assignee) return reclaimed(record, status, generation, options, context);
  if (isClaimed(record) || (holder !== "" && holder !== assignee)) throw alreadyClaimed(record, holder);
  if (book.categoryOf(record.status) !== "active" || record.is_template === true || record.pinned === true) {
    throw new TownError("NotClaimable", `Cannot claim ${record.id} for ${assignee}: ${unclaimableReason(record)}.`, {
      hint: unclaimableHint(record),
    });
  }
  const next = withFields(record, {
    status,
    assignee,
    started_at: startedAt(record, status, context),
    ...leaseFields(options.leaseMs ?? defaultLeaseMs, context),
  });
  return withMetadata(next, { [META.fence]: fenceOf(record) + 1, [META.generation]: generation ?? null });
}

function alreadyClaimed(record: BeadRecord, holder: string): TownError {
  return new TownError(
    "AlreadyClaimed",
    `Cannot claim ${record.id}: already claimed by ${holder} (${record.status}).`,
    {
      hint: "Take another bead: `town bd ready` lists what is free.",
    },
  );
}

/** A bead in progress that nobody is assigned to may be somebody's all the same: who it is must be said. */
function unclaimableHint({ id, status, assignee }: BeadRecord): string {
  const isNobodys = (status === "in_progress" || status === "hooked") && (assignee ?? "") === "";
  return isNobodys
    ? `Is it yours: \`town bd update ${id} --assignee me\`. Does nobody work on it: \`town bd update ${id} --status open\`.`
    : "Only open beads can be claimed; `town bd ready` lists them.";
}

function unclaimableReason(record: BeadRecord): string {
  if (record.is_template === true) return "it is a template";
  if (record.pinned === true) return "it is pinned";
  return `its status is ${record.status}`;
}

function reclaimed(
  record: BeadRecord,
  status: string,
  generation: number | undefined,
  options: ClaimOptions,
  context: ChangeContext,
): BeadRecord {
  requireCurrentSession("claim", record, context);
  const before = generationOf(record);
  if (generation !== undefined && before !== undefined && generation < before) {
    throw new TownError(
      "Fenced",
      `Cannot claim ${record.id}: session generation ${generation} of ${record.assignee} was replaced by ${before}.`,
      {
        hint: "Stop working on it: the newer session has it.",
      },
    );
  }
  const newSession = generation !== undefined && generation !== before;
  const started = status === "in_progress" && record.status === "hooked";
  if (!newSession && !started) return record;
  const next = withFields(record, {
    status: started ? status : record.status,
    started_at: startedAt(record, status, context),
    ...leaseFields(options.leaseMs ?? leaseLengthMs(record), context),
  });
  return newSession ? withMetadata(next, { [META.fence]: fenceOf(record) + 1, [META.generation]: generation }) : next;
}

function startedAt(record: BeadRecord, status: string, context: ChangeContext): string | undefined {
  return record.started_at ?? (status === "in_progress" ? context.stamp : undefined);
}

export function leaseFields(leaseMs: number, context: ChangeContext): Readonly<Record<string, string>> {
  return {
    heartbeat_at: new Date(context.now).toISOString(),
    lease_expires_at: new Date(context.now + leaseMs).toISOString(),
  };
}

/** Length of the lease as it was last set, ms. */
export function leaseLengthMs(record: BeadRecord): number {
  const from = timeOf(record.heartbeat_at);
  const to = timeOf(record.lease_expires_at);
  return from === undefined || to === undefined || to <= from ? defaultLeaseMs : to - from;
}

/** A claim whose lease has run out. Such a bead is not free: who holds it must be known to be gone first. */
export function leaseExpired(record: BeadRecord, nowMs: number): boolean {
  const expires = timeOf(record.lease_expires_at);
  return isClaimed(record) && expires !== undefined && expires <= nowMs;
}

/** What is known of the world when an expired claim is to be taken back. */
export interface ReclaimEvidence {
  readonly now: number;
  /** How long whoever renews claims has been running under an even clock, ms. */
  readonly steadyMs: number;
  /** The session that holds it is known to be dead, or another generation has taken its place. */
  readonly holderGone: boolean;
}

/**
 * Why a claim must not be taken back; undefined when it may. That it ran out is not enough: whoever renews claims must have
 * had the chance to for as long as the lease runs, and a session that holds it must be known to be gone.
 */
export function reclaimObstacle(
  record: BeadRecord,
  { now, steadyMs, holderGone }: ReclaimEvidence,
): "NotExpired" | "TooEarly" | "HolderMayLive" | undefined {
  if (!leaseExpired(record, now)) return "NotExpired";
  if (steadyMs < leaseLengthMs(record)) return "TooEarly";
  return generationOf(record) !== undefined && !holderGone ? "HolderMayLive" : undefined;
}

/** Gives the claim back; the fence stays. A record that nobody holds is returned as it is. */
export function released(record: BeadRecord, context: ChangeContext): BeadRecord {
  requireCurrentSession("release", record, context);
  if (!isClaimed(record)) return record;
  return withoutClaim(withFields(record, { status: "open" }));
}

/** The lease and generation end with the claim; who it was assigned to ends only where `keepAssignee` is not set. */
export function withoutClaim(record: BeadRecord, options: { readonly keepAssignee?: boolean } = {}): BeadRecord {
  const next = withFields(record, {
    lease_expires_at: undefined,
    heartbeat_at: undefined,
    ...(options.keepAssignee === true ? {} : { assignee: undefined }),
  });
  return generationOf(next) === undefined ? next : withMetadata(next, { [META.generation]: null });
}

/** Renews the lease of a claim. Throws TownError `NotClaimed` or `Fenced`. */
export function renewed(record: BeadRecord, leaseMs: number, context: ChangeContext): BeadRecord {
  requireCurrentSession("renew the lease of", record, context);
  if (!isClaimed(record)) {
    throw new TownError("NotClaimed", `Cannot renew the lease of ${record.id}: nobody holds it (${record.status}).`, {
      hint: "Claim it first.",
    });
  }
  return withFields(record, leaseFields(leaseMs, context));
}

/** Keys that a lease renewal alone changes: they are volatile and tell no versions apart. */
export const leaseKeys: ReadonlySet<string> = new Set(["lease_expires_at", "heartbeat_at"]);

/**
 * A write of the holder keeps its claim alive: the record with the lease renewed by its own length once less than half
 * of it is left. Claims of sessions are renewed by whoever watches the session instead.
 */
export function withHolderRenewal(record: BeadRecord, context: ChangeContext): BeadRecord {
  if (!isClaimed(record) || record.assignee !== context.actor || generationOf(record) !== undefined) return record;
  const expires = timeOf(record.lease_expires_at);
  const length = leaseLengthMs(record);
  if (expires === undefined || expires - context.now > length / 2) return record;
  return withFields(record, leaseFields(length, context));
}
