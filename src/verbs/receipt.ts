import { z } from "zod";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import type { Verb } from "../resource/verb.ts";
import { AGENT, agentRecord } from "../work/agent-record.ts";
import { acknowledgeHook } from "../work/hook-acknowledgement.ts";
import { noteShown } from "../work/mailbox.ts";
import { type AgentSession, checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";

const receiptArguments = z.strictObject({
  /** Of the `prime` or `nudge drain` whose answer was shown. */
  request: z.string().min(8).max(100),
  /** It was not shown after all, for example because the turn that it began failed. */
  lost: z.boolean().optional(),
  hook: z.strictObject({ bead: z.string().max(200), fence: z.number() }).optional(),
  told: z
    .strictObject({
      session: z.string().min(1).max(200),
      told: z.record(z.string().max(40), z.string().max(20)),
    })
    .optional(),
});

/** What an answer handed over: messages by its request, the hook, and the parts of the text. */
export type Receipt = z.infer<typeof receiptArguments>;

/** What a conversation was told, so that its resume is told the difference. */
export type Told = NonNullable<Receipt["told"]>;

/**
 * `receipt`: the answer to a request was shown to the agent's program. A hook that is killed between the town's answer and
 * its own output never says so; then messages come again, marked, and the hook counts as not read.
 */
export function receiptVerb(ports: LoopPorts): Verb {
  return {
    name: "receipt",
    summary: "say that an answer was shown (called by `town` itself)",
    needs: "agent",
    async run({ caller, args }) {
      const receipt = argumentsOf("receipt", receiptArguments, args);
      const session = sessionOf("receipt", caller, ports);
      await session.graph.transact(session.author, (tx) => {
        checkFence(tx, session.name, session.generation);
        takeReceipt(tx, session, receipt);
      });
      return { text: "", data: {} };
    },
  };
}

/** Notes what a session was shown; without `request`, what was shown beside messages. */
export function takeReceipt(
  tx: GraphTransaction,
  session: AgentSession,
  { request, lost, hook, told }: Omit<Receipt, "request"> & { readonly request?: string },
): void {
  if (request !== undefined) noteShown(tx, session, request, lost === true ? "Lost" : "Shown");
  if (lost === true) return;
  if (hook !== undefined) acknowledgeHook(tx, session, hook);
  const record = agentRecord(tx, session.name);
  if (told !== undefined && record !== undefined) tx.setMetadata(record.id, { [AGENT.primed]: told });
}
