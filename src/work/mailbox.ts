import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { metaNumber, metaText } from "./record-fields.ts";

/** Metadata keys of a bead of type `message`. Who it is for is its assignee, who sent it its `sender`. */
export const MESSAGE = {
  /** Rises with each message of one recipient; never used twice. */
  seq: "town.seq",
  /** Id of the message a conversation began with; absent on that one. */
  thread: "town.thread",
  replyTo: "town.replyTo",
  /** True: the reader's doorbell is rung for it at once. */
  urgent: "town.urgent",
  /** Last time it was handed to a session: `{ generation, at, times, request?, shown?, unconfirmed? }`. */
  delivery: "town.delivery",
  /** When it was taken note of (ISO 8601); it is not delivered again. */
  read: "town.read",
  archived: "town.archived",
} as const;

/** The person in front of the town, as a recipient and a sender. */
export const OVERSEER = "overseer";

export interface NewMessage {
  /** Identity of the recipient, or `overseer`. The transaction must be of the store that holds the recipient. */
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  /** Durable messages are in git; others (wisps) end a day after their last change. */
  readonly durable: boolean;
  readonly urgent?: boolean;
  /** Message that this answers; it may be in another store. */
  readonly replyTo?: BeadRecord;
  /** A second message with the same key is the first one. */
  readonly key?: string;
}

/**
 * Makes a message. The one way in which messages come to be: the recipient's next sequence number is given out in this
 * transaction, so that no two messages share one.
 */
export function sendMessage(tx: GraphTransaction, message: NewMessage): BeadRecord {
  const key = message.key === undefined ? undefined : `message/${message.key}`;
  const former = key === undefined ? undefined : tx.byKey(key);
  if (former !== undefined) return former;
  const { replyTo } = message;
  return tx.create({
    title: message.subject,
    description: message.text,
    issue_type: "message",
    assignee: message.to,
    sender: message.from,
    priority: message.urgent === true ? 1 : 2,
    ...(message.durable ? {} : { ephemeral: true }),
    metadata: {
      [MESSAGE.seq]: nextSequence(tx, message.to),
      ...(key === undefined ? {} : { [META.key]: key }),
      ...(replyTo === undefined ? {} : { [MESSAGE.replyTo]: replyTo.id, [MESSAGE.thread]: threadOf(replyTo) }),
      ...(message.urgent === true ? { [MESSAGE.urgent]: true } : {}),
    },
  });
}

/**
 * Above every number this recipient has seen, also those of wisps that have ended since: the time in ms, or one more
 * than the last where that is not later.
 */
function nextSequence(tx: GraphTransaction, to: string): number {
  const last = messagesTo(tx, to).reduce((most, record) => Math.max(most, sequenceOf(record)), 0);
  return Math.max(tx.now, last + 1);
}

export function sequenceOf(record: BeadRecord): number {
  return metaNumber(record, MESSAGE.seq);
}

export function senderOf(record: BeadRecord): string {
  const sender = record["sender"];
  return typeof sender === "string" ? sender : (record.created_by ?? "");
}

/** Id of the message that the conversation began with. */
export function threadOf(record: BeadRecord): string {
  return metaText(record, MESSAGE.thread) ?? record.id;
}

/** All messages of a recipient, ended ones too, in order of sequence. */
export function messagesTo(graph: GraphReader, to: string): readonly BeadRecord[] {
  return graph.list({ assignee: to, type: ["message"] }).toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
}

export type MessageState = "Waiting" | "Delivered" | "Unconfirmed" | "Read" | "Acknowledged" | "Archived";

/**
 * Waiting: nobody has seen it. Delivered: a session was handed it and has not yet shown that it took note. Unconfirmed: a
 * session was handed it several times and never said that it was shown.
 */
export function messageState(record: BeadRecord): MessageState {
  if (record.metadata?.[MESSAGE.archived] === true) return "Archived";
  if (record.status === "closed") return "Acknowledged";
  if (metaText(record, MESSAGE.read) !== undefined) return "Read";
  const delivery = deliveryOf(record);
  if (delivery === undefined) return "Waiting";
  return isGivenUp(delivery) ? "Unconfirmed" : "Delivered";
}

interface Delivery {
  readonly generation: number;
  /** ISO 8601. */
  readonly at: string;
  readonly times: number;
  /** The request whose answer holds it; who asked says when the answer was shown. Absent: it counts as shown. */
  readonly request?: string;
  readonly shown?: true;
  /** Hand-overs to this generation in a row, this one included, of which nobody has said that they were shown. */
  readonly unconfirmed?: number;
}

/**
 * A program that never says what it was shown (an older one that lives on, or whose hook is cut off each time) would be
 * handed the same messages at the end of each of its turns, which makes it begin another one, for ever.
 */
export const MOST_UNCONFIRMED = 5;

function isGivenUp(delivery: Delivery): boolean {
  return !isShown(delivery) && (delivery.unconfirmed ?? 0) >= MOST_UNCONFIRMED;
}

function isShown(delivery: Delivery): boolean {
  return delivery.request === undefined || delivery.shown === true;
}

function deliveryOf(record: BeadRecord): Delivery | undefined {
  const value = record.metadata?.[MESSAGE.delivery] as Delivery | undefined;
  return typeof value === "object" && typeof value.generation === "number" ? value : undefined;
}

/** An answer that was given is shown within this time, or whoever was to show it is gone. */
const SHOWN_WITHIN_MS = 30_000;

export interface Undelivered {
  readonly record: BeadRecord;
  /** Some session was handed it before. */
  readonly again: boolean;
  /** Since when it waits for this session, ms. */
  readonly sinceMs: number;
}

/**
 * Messages that a session of this generation has not been shown: new ones, those that an older generation was handed
 * without showing that it took note, and those that got lost between the town's answer and this session's program, up to
 * `MOST_UNCONFIRMED` times. In order of sequence.
 */
export function undelivered(graph: GraphReader, to: string, generation: number, now: number): readonly Undelivered[] {
  return unshown(graph, to, generation, now).filter(({ sinceMs }) => sinceMs <= now);
}

/** When the next of the messages that were just handed over will count as lost on the way, ms; undefined: none will. */
export function nextLostMs(graph: GraphReader, to: string, generation: number, now: number): number | undefined {
  const times = unshown(graph, to, generation, now).map(({ sinceMs }) => sinceMs);
  return times.filter((ms) => ms > now).toSorted((a, b) => a - b)[0];
}

/** Also those that may still be shown: they wait from when that time is over. */
function unshown(graph: GraphReader, to: string, generation: number, now: number): readonly Undelivered[] {
  return unread(graph, to).flatMap((record) => {
    const delivery = deliveryOf(record);
    const createdMs = Date.parse(record.created_at);
    // A time ahead of the clock was written before the clock was set back: it is long ago, for all that is known.
    if (delivery === undefined || delivery.generation < generation)
      return [{ record, again: delivery !== undefined, sinceMs: createdMs > now ? 0 : createdMs }];
    const handedMs = Date.parse(delivery.at);
    const sinceMs = handedMs > now ? 0 : handedMs + SHOWN_WITHIN_MS;
    return isShown(delivery) || isGivenUp(delivery) ? [] : [{ record, again: true, sinceMs }];
  });
}

/** Messages that the session of this generation is not handed any more, although it never said that it was shown them. */
export function unconfirmed(graph: GraphReader, to: string, generation: number): readonly BeadRecord[] {
  return unread(graph, to).filter((record) => {
    const delivery = deliveryOf(record);
    return delivery !== undefined && delivery.generation >= generation && isGivenUp(delivery);
  });
}

function unread(graph: GraphReader, to: string): readonly BeadRecord[] {
  return graph
    .list({ assignee: to, type: ["message"], status: ["open"] })
    .filter((record) => metaText(record, MESSAGE.read) === undefined)
    .toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
}

export interface HandedMessage {
  readonly record: BeadRecord;
  /** It was handed over before, and may have been acted on. */
  readonly again: boolean;
}

/**
 * Hands a session everything that waits for its agent. What the same generation was shown before counts as taken note of:
 * it came back for more. With `request` the hand-over has a second half, `noteShown`, without which these messages come
 * again, marked.
 *
 * Guarantees: a message that was shown to one generation is not handed to that one again; it is handed to the next one,
 * marked, as long as no generation took note of it. None is taken note of that was not shown. One generation is handed a
 * message `MOST_UNCONFIRMED` times at most without saying that it was shown.
 */
export function drain(
  tx: GraphTransaction,
  session: { readonly identity: string; readonly generation: number },
  request?: string,
): readonly HandedMessage[] {
  const handed: HandedMessage[] = [];
  for (const record of unread(tx, session.identity)) {
    const former = deliveryOf(record);
    const own = former !== undefined && former.generation >= session.generation ? former : undefined;
    if (own !== undefined && isShown(own)) takeNote(tx, record);
    if (own !== undefined && (isShown(own) || isGivenUp(own))) continue;
    const at = new Date(tx.now).toISOString();
    const delivery: Delivery = {
      generation: session.generation,
      at,
      times: (former?.times ?? 0) + 1,
      ...(request === undefined ? {} : { request, unconfirmed: (own?.unconfirmed ?? 0) + 1 }),
    };
    tx.setMetadata(record.id, { [MESSAGE.delivery]: delivery });
    handed.push({ record, again: former !== undefined });
  }
  return handed;
}

/**
 * The second half of a hand-over: the session was shown what the answer to `request` held, or it came out later that it
 * was not (`Lost`).
 */
export function noteShown(
  tx: GraphTransaction,
  session: { readonly identity: string; readonly generation: number },
  request: string,
  how: "Shown" | "Lost" = "Shown",
): void {
  for (const record of unread(tx, session.identity)) {
    const former = deliveryOf(record);
    if (former?.request !== request || former.generation !== session.generation) continue;
    // Either way somebody said what became of it.
    const { shown: _shown, unconfirmed: _unconfirmed, ...delivery } = former;
    tx.setMetadata(record.id, { [MESSAGE.delivery]: how === "Shown" ? { ...delivery, shown: true } : delivery });
  }
}

/** Read: a wisp has done its duty with that, mail stays in the inbox until it is acknowledged or archived. */
export function takeNote(tx: GraphTransaction, record: BeadRecord): void {
  if (record.status === "closed" || metaText(record, MESSAGE.read) !== undefined) return;
  tx.setMetadata(record.id, { [MESSAGE.read]: new Date(tx.now).toISOString() });
  if (record.ephemeral === true) tx.close(record.id, { reason: "taken note of", force: true });
}

/** Puts a message away: the reader is done with it (`Acknowledged`), or wants it out of sight (`Archived`). */
export function putAway(tx: GraphTransaction, record: BeadRecord, how: "Acknowledged" | "Archived"): void {
  if (how === "Archived" && record.metadata?.[MESSAGE.archived] !== true)
    tx.setMetadata(record.id, { [MESSAGE.archived]: true });
  if (record.status !== "closed") tx.close(record.id, { reason: how, force: true });
}

/** Every message of a conversation that a store holds, oldest first. */
export function messagesOfThread(graph: GraphReader, thread: string): readonly BeadRecord[] {
  return graph.list({ type: ["message"] }).filter((record) => threadOf(record) === thread);
}
