import { z } from "zod";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Author, GraphReader, GraphTransaction, WorkGraph } from "../ports/work-graph.ts";
import type { Verb } from "../resource/verb.ts";
import { drain, type HandedMessage } from "../work/mailbox.ts";
import { messageData, messagesText } from "../work/message-text.ts";
import { checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import type { Receipt } from "./receipt.ts";

/** What an agent program told the hook that called. */
export const programHook = z
  .looseObject({
    session_id: z.string().min(1).max(200).optional(),
    transcript_path: z.string().max(4_096).nullish(),
    /** `resume`: the program goes on with a conversation that it had. */
    source: z.string().max(100).optional(),
  })
  .optional();

export type HookInput = NonNullable<z.infer<typeof programHook>>;

/** Whoever names its request asks for it again when the answer is lost, and says with `receipt` that it was shown. */
export const request = z.string().min(8).max(100).optional();

const drainArguments = z.strictObject({ hook: programHook, request });

/**
 * `town nudge drain`: hands the session what waits for it, and takes what it was shown before as taken note of. Called by
 * the agent program's hooks when a prompt is submitted and when a turn ends.
 */
export function nudgeDrainVerb(ports: LoopPorts): Verb {
  return {
    name: "nudge drain",
    summary: "take the messages that wait for this session",
    needs: "agent",
    async run({ caller, args }) {
      const { request: asked } = argumentsOf("nudge drain", drainArguments, args);
      const session = sessionOf("nudge drain", caller, ports);
      const handed = await handOver(session.graph, session.author, asked, (tx) => {
        checkFence(tx, session.name, session.generation);
        return drain(tx, session, asked);
      });
      return {
        text: messagesText(handed),
        data: { messages: handed.map(messageData) },
        ...(asked === undefined || handed.length === 0 ? {} : { receipt: { request: asked } satisfies Receipt }),
      };
    },
  };
}

/**
 * Drains in a transaction that a repeated request (its answer was lost on the way) does not run again: the same messages
 * are handed over, and none of them counts as taken note of by that.
 */
export async function handOver(
  graph: WorkGraph,
  author: Author,
  request: string | undefined,
  work: (tx: GraphTransaction) => readonly HandedMessage[],
): Promise<readonly HandedMessage[]> {
  const ids = await graph.transact(
    author,
    (tx) => work(tx).map(({ record, again }) => ({ id: record.id, again })),
    request === undefined ? {} : { requestId: `drain/${author.session ?? author.actor}/${request}` },
  );
  return recordsOf(graph, ids);
}

function recordsOf(
  graph: GraphReader,
  ids: readonly { readonly id: string; readonly again: boolean }[],
): readonly HandedMessage[] {
  return ids.flatMap(({ id, again }) => {
    const record = graph.get(id);
    return record === undefined ? [] : [{ record, again }];
  });
}
