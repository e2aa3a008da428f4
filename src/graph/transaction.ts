import type { BeadComment, BeadRecord } from "../domain/work-graph/bead.ts";
import type { GraphIndex } from "../domain/work-graph/index/graph-index.ts";
import { copyJson, deepFreeze } from "../domain/work-graph/record/canonical.ts";
import { edgesOf } from "../domain/work-graph/record/edges.ts";
import { isClaimed, isDeleted, metadataOf, withFields, withMetadata } from "../domain/work-graph/record/facts.ts";
import { requireValidFields } from "../domain/work-graph/record/check-record.ts";
import type { Stamp } from "../domain/work-graph/record/stamp.ts";
import { compareStamps, formatStamp, parseStamp, timeOf } from "../domain/work-graph/record/stamp.ts";
import { tombstone } from "../domain/work-graph/record/statuses.ts";
import type { ChangeContext } from "../domain/work-graph/rules/actor.ts";
import { requireCurrentSession, requireHolder } from "../domain/work-graph/rules/actor.ts";
import type { ClaimOptions } from "../domain/work-graph/rules/claim.ts";
import {
  claimed,
  leaseKeys,
  leaseLengthMs,
  released,
  renewed,
  withHolderRenewal,
} from "../domain/work-graph/rules/claim.ts";
import type { CloseOptions } from "../domain/work-graph/rules/close.ts";
import { closed, reopened } from "../domain/work-graph/rules/close.ts";
import { created, newEdge, requireFreeKey } from "../domain/work-graph/rules/create.ts";
import { withEdge, withoutEdge } from "../domain/work-graph/rules/dependency.ts";
import { deferred, undeferred, updated } from "../domain/work-graph/rules/update.ts";
import { TownError } from "../errors/town-error.ts";
import type { Random } from "../ports/random.ts";
import type { Author, BeadPatch, GraphTransaction, NewBead } from "../ports/work-graph.ts";
import { IndexReader } from "./index-reader.ts";

/** What one transaction did to one record, first state to last. */
export interface RecordChange {
  readonly id: string;
  readonly before: BeadRecord | undefined;
  readonly after: BeadRecord | undefined;
  /** Why, where the caller said so and the record does not (release, reopen). */
  readonly note?: string;
}

export interface TransactionFrame {
  readonly index: GraphIndex;
  readonly prefix: string;
  readonly random: Random;
  readonly author: Author;
  readonly now: number;
  readonly stamp: Stamp;
}

/**
 * Writes go straight into the index, so that reads see them, and are remembered with what was there before: the store
 * takes them out again until they are durable, or for good when the work throws.
 */
export class Transaction extends IndexReader implements GraphTransaction {
  readonly now: number;
  readonly author: Author;
  readonly #frame: TransactionFrame;
  readonly #context: ChangeContext;
  readonly #first = new Map<string, BeadRecord | undefined>();
  readonly #revs = new Map<string, number>();
  readonly #notes = new Map<string, string>();
  #open = true;

  constructor(frame: TransactionFrame) {
    super(frame.index, () => frame.now);
    this.#frame = frame;
    this.now = frame.now;
    this.author = frame.author;
    this.#context = {
      actor: frame.author.actor,
      session: frame.author.session,
      now: frame.now,
      stamp: formatStamp(frame.stamp),
    };
  }

  create(bead: NewBead): BeadRecord {
    this.#requireOpen("create a bead");
    const minting = { prefix: this.#frame.prefix, base36: (length: number) => this.#frame.random.base36(length) };
    const made = created(this.index, bead as NewBead & Readonly<Record<string, unknown>>, minting, this.#context);
    this.#set(made.id, made);
    for (const { id, type } of bead.dependsOn ?? []) this.addDependency(made.id, id, type);
    return this.#result(made.id);
  }

  update(id: string, patch: BeadPatch, options: { readonly force?: boolean } = {}): BeadRecord {
    const next = updated(this.index, this.#require(id, "update"), patch, options, this.#context);
    requireFreeKey(this.index, next);
    return this.#change(id, next);
  }

  setMetadata(id: string, patch: Readonly<Record<string, unknown>>): BeadRecord {
    const record = this.#require(id, "set metadata of");
    requireCurrentSession("set metadata of", record, this.#context);
    if (
      record.metadata !== undefined &&
      record.metadata !== null &&
      Object.keys(metadataOf(record)).length === 0 &&
      JSON.stringify(record.metadata) !== "{}"
    ) {
      throw new TownError(
        "InvalidBead",
        `Cannot set metadata of ${id}: its metadata is no object but ${JSON.stringify(record.metadata).slice(0, 60)}.`,
        {
          hint: `Replace it first: town bd update ${id} --metadata '{}'`,
        },
      );
    }
    const next = withMetadata(record, copyJson(patch));
    requireFreeKey(this.index, next);
    return this.#change(id, next);
  }

  claim(id: string, assignee: string, options: ClaimOptions = {}): BeadRecord {
    const record = this.#require(id, "claim");
    if (assignee === "")
      throw new TownError("InvalidBead", `Cannot claim ${id}: no assignee was given.`, { hint: "Say who claims it." });
    return this.#change(id, claimed(record, assignee, options, this.#context, this.index.statuses));
  }

  release(id: string, options: { readonly reason?: string } = {}): BeadRecord {
    return this.#change(id, released(this.#require(id, "release"), this.#context), options.reason);
  }

  /** Changes memory alone until half of the lease that was last written is gone; see `isLeaseOnly`. */
  renewLease(id: string, leaseMs: number): BeadRecord {
    return this.#change(id, renewed(this.#require(id, "renew the lease of"), leaseMs, this.#context));
  }

  close(id: string, options: CloseOptions = {}): BeadRecord {
    const record = this.#require(id, "close");
    if (record.status !== "closed") {
      requireCurrentSession("close", record, this.#context);
      if (options.force !== true && isClaimed(record) && this.#context.session !== undefined)
        requireHolder("close", record, this.#context);
    }
    return this.#change(id, closed(this.index, record, options, this.#context));
  }

  reopen(id: string, options: { readonly reason?: string } = {}): BeadRecord {
    const record = this.#require(id, "reopen");
    const next = this.#change(id, reopened(record, this.index.statuses), options.reason);
    if (next === record || options.reason === undefined) return next;
    this.comment(id, options.reason);
    return this.#result(id);
  }

  /** Sets aside until a time (RFC 3339), or until it is undeferred. */
  defer(id: string, until?: string): BeadRecord {
    if (until !== undefined) requireValidFields(`defer ${id}`, { defer_until: until }, this.index.statuses);
    return this.#change(id, deferred(this.#require(id, "defer"), until, this.#context));
  }

  undefer(id: string): BeadRecord {
    return this.#change(id, undeferred(this.#require(id, "undefer")));
  }

  addDependency(id: string, dependsOn: string, type = "blocks", metadata?: string): void {
    const record = this.#require(id, "add a dependency to");
    const edge = newEdge(id, dependsOn, type, this.#context, metadata);
    this.#change(id, withEdge(this.index, record, edge, this.#frame.prefix));
    // Beads keeps this one type in both records.
    const other = type === "relates-to" ? this.index.record(dependsOn) : undefined;
    if (other === undefined || edgesOf(other).some((known) => known.depends_on_id === id)) return;
    this.#change(
      dependsOn,
      withEdge(this.index, other, newEdge(dependsOn, id, type, this.#context), this.#frame.prefix),
    );
  }

  removeDependency(id: string, dependsOn: string): void {
    const record = this.#require(id, "remove a dependency of");
    const edge = edgesOf(record).find((known) => known.depends_on_id === dependsOn);
    this.#change(id, withoutEdge(record, dependsOn));
    const other = edge?.type === "relates-to" ? this.index.record(dependsOn) : undefined;
    if (
      other !== undefined &&
      edgesOf(other).some((known) => known.depends_on_id === id && known.type === "relates-to")
    ) {
      this.#change(dependsOn, withoutEdge(other, id));
    }
  }

  addLabel(id: string, label: string): void {
    const record = this.#require(id, "label");
    requireValidFields(`label ${id}`, { labels: [label] }, this.index.statuses);
    const labels = record.labels ?? [];
    if (!labels.includes(label)) this.#change(id, withFields(record, { labels: [...labels, label].sort() }));
  }

  removeLabel(id: string, label: string): void {
    const record = this.#require(id, "remove a label of");
    const rest = (record.labels ?? []).filter((known) => known !== label);
    if (rest.length !== (record.labels ?? []).length)
      this.#change(id, withFields(record, { labels: rest.length === 0 ? undefined : rest }));
  }

  comment(id: string, text: string): BeadComment {
    const record = this.#require(id, "comment on");
    if (text.trim() === "")
      throw new TownError("InvalidBead", `Cannot comment on ${id}: the text is empty.`, { hint: "Write something." });
    const made: BeadComment = {
      id: this.#frame.random.uuid(),
      issue_id: id,
      author: this.author.actor,
      text,
      created_at: this.#context.stamp,
    };
    this.#change(
      id,
      withFields(record, { comments: [...(Array.isArray(record.comments) ? record.comments : []), made] }),
    );
    return made;
  }

  delete(id: string, reason?: string): void {
    const record = this.#require(id, "delete");
    requireCurrentSession("delete", record, this.#context);
    if (record.ephemeral === true) {
      this.#set(id, undefined);
      return;
    }
    const {
      assignee: _assignee,
      lease_expires_at: _lease,
      heartbeat_at: _beat,
      dependencies: _edges,
      ...rest
    } = record;
    this.#change(id, {
      ...(rest as BeadRecord),
      status: tombstone,
      original_type: record.issue_type,
      deleted_at: this.#context.stamp,
      deleted_by: this.#context.actor,
      ...(reason === undefined ? {} : { delete_reason: reason }),
    });
  }

  /** Puts a whole record in place, as imports and merges do: no rule is checked and no time is set. */
  replace(id: string, record: BeadRecord | undefined, note?: string): void {
    this.#requireOpen(`replace ${id}`);
    this.#set(id, record);
    if (note !== undefined) this.#notes.set(id, note);
  }

  #requireOpen(what: string): void {
    if (this.#open) return;
    throw new TownError("TransactionEnded", `Cannot ${what}: the transaction has ended.`, {
      hint: "Use the transaction only inside of its function.",
    });
  }

  #require(id: string, what: string): BeadRecord {
    this.#requireOpen(`${what} ${id}`);
    const record = this.index.record(id);
    if (record !== undefined) return record;
    throw new TownError("NotFound", `Cannot ${what} ${id}: there is no such bead in this store.`, {
      hint: "`town bd list` shows what exists.",
    });
  }

  #change(id: string, next: BeadRecord, note?: string): BeadRecord {
    const before = this.index.stored(id);
    if (before === next) return deepFreeze(next);
    const lease = isLeaseOnly(before, next);
    const renewedByWrite = lease ? next : withHolderRenewal(next, this.#context);
    this.#set(id, lease ? next : withFields(renewedByWrite, { updated_at: this.#laterThan(before) }));
    if (note !== undefined) this.#notes.set(id, note);
    return this.#result(id);
  }

  // A tombstone is a result too, so this does not go through #require.
  #result(id: string): BeadRecord {
    return deepFreeze(this.index.stored(id) as BeadRecord);
  }

  // A record that another clone stamped ahead of our clock still must not seem older after a change here.
  #laterThan(before: BeadRecord | undefined): string {
    if (before !== undefined && this.#first.has(before.id)) return before.updated_at;
    const known = parseStamp(before?.updated_at);
    if (known === undefined || compareStamps(known, this.#frame.stamp) < 0) return this.#context.stamp;
    return formatStamp(
      known.tick + 1000 < 1_000_000 ? { ms: known.ms, tick: known.tick + 1000 } : { ms: known.ms + 1, tick: 0 },
    );
  }

  #set(id: string, after: BeadRecord | undefined): void {
    const before = this.index.stored(id);
    if (!this.#first.has(id)) {
      this.#first.set(id, before);
      this.#revs.set(id, this.index.revOf(id));
    }
    this.index.put(id, after, this.index.revOf(id));
  }

  /** What was changed in the end; records that came back to what they were are not in it. Ends the transaction. */
  finish(): readonly RecordChange[] {
    this.#open = false;
    const changes: RecordChange[] = [];
    for (const [id, before] of this.#first) {
      const after = this.index.stored(id);
      const note = this.#notes.get(id);
      if (before !== after) changes.push({ id, before, after, ...(note === undefined ? {} : { note }) });
    }
    return changes;
  }

  /** Takes everything out of the index again. */
  undo(): void {
    this.#open = false;
    for (const [id, before] of this.#first) {
      const rev = this.#revs.get(id) ?? 0;
      if (before === undefined && rev === 0) this.index.put(id, undefined);
      else this.index.put(id, before, rev);
    }
  }
}

/** A change of nothing but the lease: kept in memory, and written only when half of the written lease is gone. */
export function isLeaseOnly(before: BeadRecord | undefined, after: BeadRecord | undefined): boolean {
  if (before === undefined || after === undefined || isDeleted(after)) return false;
  let others = 0;
  for (const key in after) {
    if (leaseKeys.has(key)) continue;
    if (before[key] !== after[key]) return false;
    others++;
  }
  for (const key in before) if (!leaseKeys.has(key)) others--;
  return others === 0;
}

/** Whether a renewed lease runs so much later than the one that was last written that it must be written. */
export function leaseWorthWriting(written: BeadRecord | undefined, after: BeadRecord): boolean {
  const before = timeOf(written?.lease_expires_at);
  const next = timeOf(after.lease_expires_at);
  if (before === undefined || next === undefined || next < before) return true;
  return next - before >= leaseLengthMs(after) / 2;
}
