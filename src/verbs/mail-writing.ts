import { z } from "zod";
import type { BeadRecord } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Author, WorkGraph } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { senderOf, sendMessage } from "../work/mailbox.ts";
import { plain } from "../work/message-text.ts";
import { type AgentSession, checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { mayRead, messageNamed } from "./mail-reading.ts";
import { requirePermission } from "./permission.ts";
import { type Mailbox, mailboxOf } from "./recipient.ts";

const MOST_TEXT = 100_000;
const addresses = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  z.array(z.string().min(1)).min(1),
]);
/** The same request again (its answer was lost) sends nothing twice. */
const request = z.string().min(8).max(100).optional();

const sendArguments = z.strictObject({
  to: addresses,
  subject: z.string().max(500).optional(),
  message: z.string().max(MOST_TEXT).default(""),
  replyTo: z.string().optional(),
  urgent: z.boolean().default(false),
  request,
});
const replyArguments = z.strictObject({ id: z.string(), message: z.string().max(MOST_TEXT), request });
const nudgeArguments = z.strictObject({
  agent: z.string().min(1),
  text: z.string().max(MOST_TEXT).default(""),
  request,
});

interface Draft {
  readonly subject: string;
  readonly text: string;
  readonly durable: boolean;
  readonly urgent: boolean;
  readonly replyTo?: BeadRecord | undefined;
  readonly request: string | undefined;
}

/** `town mail send TO…`: durable mail, one message for each recipient, in the recipient's store. */
export function mailSendVerb(ports: LoopPorts): Verb {
  return {
    name: "mail send",
    summary: "write to agents or people",
    needs: "agent",
    async run({ caller, args }) {
      const options = argumentsOf("mail send", sendArguments, args);
      requirePermission(caller, "SendMail", "send mail", ports);
      const subject = options.subject ?? firstLine(options.message);
      if (subject === "")
        throw new ApiStatusError(400, "BadRequest", "town mail send: --subject or --message is required", {
          hint: 'town mail send TO -s "…" -m "…"',
        });
      const replyTo = options.replyTo === undefined ? undefined : messageNamed(options.replyTo, caller, ports).record;
      const { message: text, urgent } = options;
      return send(
        options.to,
        { subject, text, durable: true, urgent, replyTo, request: options.request },
        caller,
        ports,
      );
    },
  };
}

/** `town mail reply ID TEXT`: to whoever is at the other end of that mail. */
export function mailReplyVerb(ports: LoopPorts): Verb {
  return {
    name: "mail reply",
    summary: "answer a mail",
    needs: "agent",
    async run({ caller, args }) {
      const options = argumentsOf("mail reply", replyArguments, args);
      requirePermission(caller, "SendMail", "send mail", ports);
      const { record } = messageNamed(options.id, caller, ports);
      const to = mayRead(record, caller).own ? senderOf(record) : (record.assignee ?? "");
      const subject = /^re: /i.test(record.title) ? record.title : `Re: ${record.title}`;
      const draft = { subject, text: options.message, durable: true, urgent: false, replyTo: record };
      return send([to], { ...draft, request: options.request }, caller, ports);
    },
  };
}

/** `town nudge AGENT [TEXT]`: a routine message that rings the reader's doorbell. */
export function nudgeVerb(ports: LoopPorts): Verb {
  return {
    name: "nudge",
    summary: "send an agent a message that it reads at its next prompt",
    needs: "agent",
    async run({ caller, args }) {
      const options = argumentsOf("nudge", nudgeArguments, args);
      requirePermission(caller, "Nudge", "nudge others", ports);
      const text = plain(options.text).trim();
      const subject = text === "" ? "Look at your hook" : firstLine(text);
      return send(
        [options.agent],
        { subject, text: text === subject ? "" : text, durable: false, urgent: true, request: options.request },
        caller,
        ports,
      );
    },
  };
}

async function send(to: readonly string[], draft: Draft, caller: Caller, ports: LoopPorts): Promise<VerbResult> {
  const session = caller.session === undefined ? undefined : sessionOf("mail", caller, ports);
  const author: Author = session?.author ?? { actor: caller.name };
  const { request: requestId, replyTo, ...message } = draft;
  // All addresses are good, or nobody gets anything.
  const mailboxes = to.map((address) => mailboxOf(address, ports, caller.session?.namespace));
  const sent: { readonly id: string; readonly to: string }[] = [];
  for (const mailbox of mailboxes) {
    const record = await transactFenced(mailbox, session, author, (tx) =>
      sendMessage(tx, {
        ...message,
        subject: plain(message.subject).replace(/[\n\t]/g, " "),
        text: plain(message.text),
        to: mailbox.identity,
        from: author.actor,
        ...(replyTo === undefined ? {} : { replyTo }),
        ...(requestId === undefined ? {} : { key: `${author.actor}/${requestId}/${mailbox.identity}` }),
      }),
    );
    sent.push({ id: record.id, to: mailbox.identity });
  }
  return { text: sent.map(({ id, to: whom }) => `${id} sent to ${whom}`).join("\n"), data: { sent } };
}

/** A session's fence is in its own store: it is checked there even when the message goes to another. */
function transactFenced<T>(
  mailbox: Mailbox,
  session: AgentSession | undefined,
  author: Author,
  work: Parameters<typeof mailbox.graph.transact<T>>[1],
): Promise<T> {
  return mailbox.graph.transact(author, (tx) => {
    if (session !== undefined)
      checkFence(sameStore(mailbox.graph, session.graph) ? tx : session.graph, session.name, session.generation);
    return work(tx);
  });
}

function sameStore(a: WorkGraph, b: WorkGraph): boolean {
  return a.namespace === b.namespace;
}

function firstLine(text: string): string {
  const line = plain(text).trim().split("\n")[0] ?? "";
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
