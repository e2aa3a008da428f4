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
  /** Last time it was handed to a session: `{ generation, at, times }`. */
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

export type MessageState = "Waiting" | "Delivered" | "Read" | "Acknowledged" | "Archived";

/** Waiting: nobody has seen it. Delivered: a session was handed it and has not yet shown that it took note. */
export function messageState(record: BeadRecord): MessageState {
  if (record.metadata?.[MESSAGE.archived] === true) return "Archived";
  if (record.status === "closed") return "Acknowledged";
  if (metaText(record, MESSAGE.read) !== undefined) return "Read";
  return deliveryOf(record) === undefined ? "Waiting" : "Delivered";
}

interface Delivery {
  readonly generation: number;
  readonly at: string;
  readonly times: number;
}

function deliveryOf(record: BeadRecord): Delivery | undefined {
  const value = record.metadata?.[MESSAGE.delivery] as Delivery | undefined;
  return typeof value === "object" && typeof value.generation === "number" ? value : undefined;
}

/**
 * Messages that a session of this generation has not been handed: new ones, and those that an older generation was
 * handed without showing that it took note. In order of sequence.
 */
export function undelivered(graph: GraphReader, to: string, generation: number): readonly BeadRecord[] {
  return unread(graph, to).filter((record) => (deliveryOf(record)?.generation ?? -1) < generation);
}

function unread(graph: GraphReader, to: string): readonly BeadRecord[] {
  return graph
    .list({ assignee: to, type: ["message"], status: ["open"] })
    .filter((record) => metaText(record, MESSAGE.read) === undefined)
    .toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
}

export interface HandedMessage {
  readonly record: BeadRecord;
  /** A former generation was handed it too, and may have acted on it. */
  readonly again: boolean;
}

/**
 * Hands a session everything that waits for its agent. What the same generation was handed before counts as taken note
 * of: it came back for more.
 *
 * Guarantees: a message is handed to one generation once; it is handed to the next one, marked, as long as no generation
 * took note of it.
 */
export function drain(
  tx: GraphTransaction,
  session: { readonly identity: string; readonly generation: number },
): readonly HandedMessage[] {
  const handed: HandedMessage[] = [];
  for (const record of unread(tx, session.identity)) {
    const former = deliveryOf(record);
    if (former !== undefined && former.generation >= session.generation) {
      takeNote(tx, record);
      continue;
    }
    const at = new Date(tx.now).toISOString();
    const delivery: Delivery = { generation: session.generation, at, times: (former?.times ?? 0) + 1 };
    tx.setMetadata(record.id, { [MESSAGE.delivery]: delivery });
    handed.push({ record, again: former !== undefined });
  }
  return handed;
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
