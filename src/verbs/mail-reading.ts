import { z } from "zod";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Author, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb } from "../resource/verb.ts";
import {
  MESSAGE,
  messagesOfThread,
  messagesTo,
  messageState,
  OVERSEER,
  putAway,
  senderOf,
  sequenceOf,
  takeNote,
  threadOf,
} from "../work/mailbox.ts";
import { plain } from "../work/message-text.ts";
import { metaText } from "../work/record-fields.ts";
import { sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { mailboxOf, townGraph } from "./recipient.ts";

const inboxArguments = z.strictObject({ unread: z.boolean().default(false), agent: z.string().optional() });
const idArguments = z.strictObject({ id: z.string().min(1) });
const idsArguments = z.strictObject({
  ids: z.union([
    z
      .string()
      .min(1)
      .transform((one) => [one]),
    z.array(z.string().min(1)).min(1),
  ]),
});

/** `town mail inbox`: what waits for the caller, unread first. */
export function mailInboxVerb(ports: LoopPorts): Verb {
  return {
    name: "mail inbox",
    summary: "mail to you, unread first",
    needs: "agent",
    run({ caller, args }) {
      const options = argumentsOf("mail inbox", inboxArguments, args);
      const mails = inbox(caller, options.agent, ports)
        .map((record) => ({ record, unread: isUnread(record) }))
        .filter(({ unread }) => unread || !options.unread)
        .toSorted((a, b) => Number(b.unread) - Number(a.unread) || sequenceOf(b.record) - sequenceOf(a.record));
      const rows = mails.map(({ record, unread }) => ({
        id: record.id,
        from: senderOf(record),
        subject: record.title,
        state: messageState(record),
        unread,
        sent: record.created_at,
      }));
      return Promise.resolve({
        text:
          rows.length === 0
            ? "no mail"
            : table(rows.map((row) => [row.unread ? "*" : " ", row.id, row.from, row.subject])),
        data: { mails: rows },
      });
    },
  };
}

/** `town mail read ID`: the whole text; it counts as read when the caller is whom it is for. */
export function mailReadVerb(ports: LoopPorts): Verb {
  return {
    name: "mail read",
    summary: "one mail in full; it counts as read",
    needs: "agent",
    async run({ caller, args }) {
      const { id } = argumentsOf("mail read", idArguments, args);
      const { record, graph } = messageNamed(id, caller, ports);
      if (mayRead(record, caller).own && isUnread(record))
        await graph.transact(authorOf(caller, ports), (tx) => {
          const now = tx.get(record.id);
          if (now !== undefined) takeNote(tx, now);
        });
      return { text: fullText(record), data: mailData(record) };
    },
  };
}

/** `town mail thread ID`: the conversation that a mail belongs to, over all stores, oldest first. */
export function mailThreadVerb(ports: LoopPorts): Verb {
  return {
    name: "mail thread",
    summary: "a mail with all answers",
    needs: "agent",
    run({ caller, args }) {
      const { id } = argumentsOf("mail thread", idArguments, args);
      const thread = threadOf(messageNamed(id, caller, ports).record);
      const mails = ports.graphs
        .all()
        .flatMap((graph) => messagesOfThread(graph, thread))
        .filter((record) => mayRead(record, caller).allowed);
      const depth = (record: BeadRecord): number => {
        const parent = mails.find((mail) => mail.id === metaText(record, MESSAGE.replyTo));
        return parent === undefined || parent.created_at > record.created_at ? 0 : 1 + depth(parent);
      };
      // An answer is never older than what it answers, but both may be of one instant.
      const ordered = mails.toSorted((a, b) => a.created_at.localeCompare(b.created_at) || depth(a) - depth(b));
      return Promise.resolve({
        text: ordered.map(fullText).join("\n\n"),
        data: { thread, mails: ordered.map(mailData) },
      });
    },
  };
}

export function mailAckVerb(ports: LoopPorts): Verb {
  return puttingAway("mail ack", "mark mails as done", "Acknowledged", ports);
}

export function mailArchiveVerb(ports: LoopPorts): Verb {
  return puttingAway("mail archive", "put mails away", "Archived", ports);
}

function puttingAway(name: string, summary: string, how: "Acknowledged" | "Archived", ports: LoopPorts): Verb {
  return {
    name,
    summary,
    needs: "agent",
    async run({ caller, args }) {
      const { ids } = argumentsOf(name, idsArguments, args);
      const named = ids.map((id) => messageNamed(id, caller, ports));
      for (const { record } of named) {
        if (!mayRead(record, caller).own)
          throw new ApiStatusError(
            403,
            "Forbidden",
            `town ${name}: ${record.id} is for ${record.assignee ?? "nobody"}`,
            {
              hint: "town mail inbox",
            },
          );
      }
      for (const { record, graph } of named) {
        await graph.transact(authorOf(caller, ports), (tx) => {
          const now = tx.get(record.id);
          if (now !== undefined) putAway(tx, now, how);
        });
      }
      const done = named.map(({ record }) => record.id);
      return { text: `${how.toLowerCase()}: ${done.join(", ")}`, data: { ids: done } };
    },
  };
}

/** A message by id. Throws 404, also for messages that the caller has no part in. */
export function messageNamed(
  id: string,
  caller: Caller,
  ports: LoopPorts,
): { readonly record: BeadRecord; readonly graph: WorkGraph } {
  const graph = ports.graphs.graphOf(id);
  const record = graph?.get(id);
  if (graph === undefined || record?.issue_type !== "message" || !mayRead(record, caller).allowed)
    throw new ApiStatusError(404, "NotFound", `no mail ${id} of yours`, { hint: "town mail inbox" });
  return { record, graph };
}

/** Sessions read what they sent or were sent; people everything. `own`: it is in the caller's inbox. */
export function mayRead(record: BeadRecord, caller: Caller): { readonly allowed: boolean; readonly own: boolean } {
  const own = record.assignee === caller.name || (caller.session === undefined && record.assignee === OVERSEER);
  return { own, allowed: own || caller.session === undefined || senderOf(record) === caller.name };
}

function inbox(caller: Caller, agent: string | undefined, ports: LoopPorts): readonly BeadRecord[] {
  const open = (records: readonly BeadRecord[]): readonly BeadRecord[] =>
    records.filter((record) => record.status !== "closed" && record.status !== "tombstone");
  if (agent !== undefined) {
    const box = mailboxOf(agent, ports, caller.session?.namespace);
    if (caller.session !== undefined && box.identity !== caller.name)
      throw new ApiStatusError(403, "Forbidden", `town mail inbox: the inbox of ${box.identity} is not yours`, {
        hint: "town mail inbox",
      });
    return open(messagesTo(box.graph, box.identity));
  }
  if (caller.session !== undefined) return open(messagesTo(sessionOf("mail inbox", caller, ports).graph, caller.name));
  const graph = townGraph(ports);
  return open([...new Set([OVERSEER, caller.name])].flatMap((identity) => messagesTo(graph, identity)));
}

function isUnread(record: BeadRecord): boolean {
  const state = messageState(record);
  return state === "Waiting" || state === "Delivered";
}

function authorOf(caller: Caller, ports: LoopPorts): Author {
  return caller.session === undefined ? { actor: caller.name } : sessionOf("mail", caller, ports).author;
}

function mailData(record: BeadRecord): Readonly<Record<string, unknown>> {
  return {
    id: record.id,
    from: senderOf(record),
    to: record.assignee ?? "",
    subject: record.title,
    text: record.description ?? "",
    state: messageState(record),
    sent: record.created_at,
    thread: threadOf(record),
  };
}

function fullText(record: BeadRecord): string {
  const head = [`From:    ${senderOf(record)}`, `To:      ${record.assignee ?? ""}`, `Subject: ${record.title}`];
  return plain([`${record.id}  ${record.created_at}`, ...head, "", record.description ?? ""].join("\n")).trimEnd();
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("  "),
    )
    .map((line) => plain(line).replace(/[\n\t]/g, " "))
    .join("\n");
}
