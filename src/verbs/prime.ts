import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { fenceOf } from "../domain/work-graph/record/facts.ts";
import { sameJson } from "../domain/work-graph/record/canonical.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Verb } from "../resource/verb.ts";
import { AGENT, agentRecord, hookOf } from "../work/agent-record.ts";
import { noteProgram } from "../work/conversation.ts";
import { noteFor } from "../work/handoff.ts";
import { isAcknowledged, readHook } from "../work/hook-acknowledgement.ts";
import { attemptsOf } from "../work/hooking.ts";
import { drain } from "../work/mailbox.ts";
import { messageData, messagesText } from "../work/message-text.ts";
import { currentStep, heldBy, stepsOf } from "../work/molecule.ts";
import { metaText } from "../work/record-fields.ts";
import { sandboxFact } from "../work/sandbox-fact.ts";
import { type AgentSession, checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { handOver, type HookInput, programHook, request } from "./nudge-drain.ts";
import { lastAttempt } from "./prime-retry.ts";
import { type Receipt, takeReceipt, type Told } from "./receipt.ts";
import {
  fingerprints,
  type PrimeFacts,
  type PrimeSection,
  primeSections,
  type PrimeWork,
  primeText,
  resumedText,
} from "./prime-text.ts";

const primeArguments = z.strictObject({
  /** The bead's text uncut. */
  full: z.boolean().default(false),
  hook: programHook,
  request,
});

/**
 * `town prime`: what to do now, how to finish, what to do when stuck. It reads the hook and claims it in one transaction,
 * so the text is never older than the claim. The hook is acknowledged by the receipt, or at once when none will come.
 */
export function primeVerb(ports: LoopPorts): Verb {
  return {
    name: "prime",
    summary: "print the step to do now (for agent sessions)",
    needs: "agent",
    async run({ caller, args }) {
      const options = argumentsOf("prime", primeArguments, args);
      const session = sessionOf("prime", caller, ports);
      let bead: BeadRecord | undefined;
      const handed = await handOver(session.graph, session.author, options.request, (tx) => {
        checkFence(tx, session.name, session.generation);
        bead = readHook(tx, session);
        noteProgram(tx, session.name, {
          session: options.hook?.session_id,
          transcript: options.hook?.transcript_path ?? undefined,
          bead: bead?.id,
        });
        return startsIdle(bead, options.hook) ? [] : drain(tx, session, options.request);
      });
      bead ??= hookOf(session.graph, session.identity);
      const facts = await factsOf(session, bead, options.full, ports);
      const sections = primeSections(facts);
      const messages = messagesText(handed);
      const text = textFor(session, sections, options.hook);
      const receipt = receiptOf(session, { bead, sections, hook: options.hook });
      const isWanted = receipt !== undefined || handed.length > 0;
      if (options.request === undefined && receipt !== undefined) await receive(session, receipt);
      return {
        text: messages === "" ? text : `${text}\n\n${messages}`,
        data: {
          ...(bead === undefined ? emptyData(facts, handed.length > 0) : hookData(session, bead, facts)),
          messages: handed.map(messageData),
        },
        ...(options.request === undefined || !isWanted
          ? {}
          : { receipt: { ...receipt, request: options.request } satisfies Receipt }),
      };
    },
  };
}

/**
 * Called by the start hook of a program that is given no first prompt: what it is told now lies in a conversation that
 * nobody begins. Messages are left for the doorbell, whose prompt brings them into a turn.
 */
function startsIdle(bead: BeadRecord | undefined, hook: HookInput | undefined): boolean {
  return hook !== undefined && bead === undefined;
}

/** What is to be noted once the text was shown; undefined: nothing that is not noted yet. */
function receiptOf(
  session: AgentSession,
  shown: {
    readonly bead: BeadRecord | undefined;
    readonly sections: readonly PrimeSection[];
    readonly hook: HookInput | undefined;
  },
): Omit<Receipt, "request"> | undefined {
  const { bead, sections, hook } = shown;
  const record = agentRecord(session.graph, session.name);
  const isNew = bead !== undefined && !isAcknowledged(record, bead, session.generation);
  const program = hook?.session_id;
  const told: Told | undefined = program === undefined ? undefined : { session: program, told: fingerprints(sections) };
  const isNews = told !== undefined && !sameJson(record?.metadata?.[AGENT.primed], told);
  if (!isNew && !isNews) return undefined;
  return {
    ...(isNew ? { hook: { bead: bead.id, fence: fenceOf(bead) } } : {}),
    ...(isNews ? { told } : {}),
  };
}

async function receive(session: AgentSession, receipt: Omit<Receipt, "request">): Promise<void> {
  await session.graph.transact(session.author, (tx) => {
    checkFence(tx, session.name, session.generation);
    takeReceipt(tx, session, receipt);
  });
}

/** The whole text, or for a conversation that goes on, what it has not been told yet. */
function textFor(session: AgentSession, sections: readonly PrimeSection[], hook: HookInput | undefined): string {
  const former = session.record.metadata?.[AGENT.primed] as Told | undefined;
  const goesOn = hook?.source === "resume" && hook.session_id !== undefined && former?.session === hook.session_id;
  return goesOn ? resumedText(sections, former.told) : primeText(sections);
}

async function factsOf(
  session: AgentSession,
  bead: BeadRecord | undefined,
  full: boolean,
  ports: LoopPorts,
): Promise<PrimeFacts> {
  const feedback = bead === undefined ? undefined : metaText(bead, META.feedback);
  return {
    identity: session.identity,
    prompt: session.role?.spec.prompt ?? "",
    persistent: session.role?.spec.lifecycle === "Persistent",
    note: noteFor(session.record, session.generation, bead?.id),
    full,
    work:
      bead === undefined
        ? undefined
        : {
            bead,
            attempt: attemptsOf(bead) + 1,
            feedback,
            lastAttempt: feedback === undefined ? undefined : await lastAttempt(session, bead, ports),
            ...stepOf(session, bead),
          },
  };
}

function stepOf(session: AgentSession, bead: BeadRecord): Pick<PrimeWork, "step" | "heldBy"> {
  const molecule = metaText(bead, META.molecule);
  if (molecule === undefined) return { step: undefined, heldBy: [] };
  const record = currentStep(session.graph, molecule);
  if (record === undefined) return { step: undefined, heldBy: heldBy(session.graph, molecule) };
  const steps = stepsOf(session.graph, molecule);
  const number = steps.findIndex((step) => step.id === record.id) + 1;
  return { step: { record, name: metaText(record, META.step) ?? "", number, count: steps.length }, heldBy: [] };
}

/** Messages are read before a session ends. */
function emptyData(facts: PrimeFacts, messages: boolean): object {
  return { seq: 0, hook: null, exit: !facts.persistent && !messages };
}

/** What programs that read data get instead of the text. */
function hookData(session: AgentSession, bead: BeadRecord, { work, note }: PrimeFacts): object {
  const fact = sandboxFact(bead);
  const molecule = metaText(bead, META.molecule);
  const step = work?.step;
  return {
    seq: session.graph.revOf(bead.id),
    hook: {
      bead: {
        id: bead.id,
        title: bead.title,
        description: bead.description ?? "",
        ...(bead.acceptance_criteria === undefined ? {} : { acceptance_criteria: bead.acceptance_criteria }),
      },
      attempt: work?.attempt ?? 1,
      ...(work?.feedback === undefined ? {} : { feedback: work.feedback }),
      ...(note === undefined ? {} : { note: note.note }),
      ...(molecule === undefined ? {} : { molecule }),
      ...(step === undefined
        ? {}
        : {
            step: {
              id: step.record.id,
              name: step.name,
              title: step.record.title,
              description: step.record.description ?? "",
              ...(step.record.acceptance_criteria === undefined ? {} : { acceptance: step.record.acceptance_criteria }),
            },
          }),
      branch: fact?.branch.replace("refs/heads/", "") ?? "",
      base: fact?.base ?? "",
    },
  };
}
