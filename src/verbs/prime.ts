import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { hookOf } from "../work/agent-record.ts";
import { noteProgram } from "../work/conversation.ts";
import { attemptsOf } from "../work/hooking.ts";
import { currentStep, stepsOf } from "../work/molecule.ts";
import { metaText } from "../work/record-fields.ts";
import { sandboxFact } from "../work/sandbox-fact.ts";
import { drain } from "../work/mailbox.ts";
import { messageData, messagesText } from "../work/message-text.ts";
import { acknowledgeHook } from "../work/hook-acknowledgement.ts";
import { argumentsOf } from "./arguments.ts";
import { handOver, programHook } from "./nudge-drain.ts";
import { type AgentSession, checkFence, sessionOf } from "./agent-session.ts";

const primeArguments = z.strictObject({
  /** The bead's text uncut. */
  full: z.boolean().default(false),
  hook: programHook,
  /** The same request again (its answer was lost) hands over the same messages. */
  request: z.string().min(8).max(100).optional(),
});

/** About 2,000 tokens; the rest is a command away. */
const BEAD_TEXT_LIMIT = 8_000;

/**
 * `town prime`: what to do now, how to finish, what to do when stuck. It reads the hook and acknowledges it in one
 * transaction, so the text is never older than the claim.
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
        bead = acknowledgeHook(tx, session);
        noteProgram(tx, session.name, {
          session: options.hook?.session_id,
          transcript: options.hook?.transcript_path ?? undefined,
          bead: bead?.id,
        });
        return drain(tx, session);
      });
      bead ??= hookOf(session.graph, session.identity);
      const answer = bead === undefined ? emptyHook(session, handed.length > 0) : primed(session, bead, options.full);
      const messages = messagesText(handed);
      return {
        text: messages === "" ? answer.text : `${answer.text}\n\n${messages}`,
        data: { ...answer.data, messages: handed.map(messageData) },
      };
    },
  };
}

type Primed = VerbResult & { readonly data: Readonly<Record<string, unknown>> };

/** Messages are read before a session ends. */
function emptyHook(session: AgentSession, messages: boolean): Primed {
  const persistent = session.role?.spec.lifecycle === "Persistent";
  return {
    text: `# ${session.identity}\n\nNothing is on your hook.${persistent ? " Wait; you will be told when there is work." : " End this session."}`,
    data: { seq: 0, hook: null, exit: !persistent && !messages },
  };
}

function primed(session: AgentSession, bead: BeadRecord, full: boolean): Primed {
  const molecule = bead.metadata?.[META.molecule];
  const step = typeof molecule === "string" ? currentStep(session.graph, molecule) : undefined;
  const stepName = step === undefined ? "" : (metaText(step, META.step) ?? "");
  const fact = sandboxFact(bead);
  const attempt = attemptsOf(bead) + 1;
  const feedback = bead.metadata?.[META.feedback];
  return {
    text: primeText(session, bead, {
      full,
      step,
      stepName,
      attempt,
      feedback: typeof feedback === "string" ? feedback : undefined,
      molecule: typeof molecule === "string" ? molecule : undefined,
    }),
    data: {
      seq: session.graph.revOf(bead.id),
      hook: {
        bead: {
          id: bead.id,
          title: bead.title,
          description: bead.description ?? "",
          ...(bead.acceptance_criteria === undefined ? {} : { acceptance_criteria: bead.acceptance_criteria }),
        },
        attempt,
        ...(typeof feedback === "string" ? { feedback } : {}),
        ...(typeof molecule === "string" ? { molecule } : {}),
        ...(step === undefined
          ? {}
          : {
              step: {
                id: step.id,
                name: stepName,
                title: step.title,
                description: step.description ?? "",
                ...(step.acceptance_criteria === undefined ? {} : { acceptance: step.acceptance_criteria }),
              },
            }),
        branch: fact?.branch.replace("refs/heads/", "") ?? "",
        base: fact?.base ?? "",
      },
    },
  };
}

interface PrimeFacts {
  readonly full: boolean;
  readonly step: BeadRecord | undefined;
  readonly stepName: string;
  readonly attempt: number;
  readonly feedback: string | undefined;
  readonly molecule: string | undefined;
}

function primeText(session: AgentSession, bead: BeadRecord, facts: PrimeFacts): string {
  const lines = [`# ${session.identity}`, "", `Your hook holds ${bead.id} (P${bead.priority}): ${bead.title}`, ""];
  if (facts.step !== undefined && facts.molecule !== undefined) {
    const steps = stepsOf(session.graph, facts.molecule);
    const at = steps.findIndex((step) => step.id === facts.step?.id) + 1;
    lines.push(
      `## Now: step ${at} of ${steps.length}, ${facts.stepName}`,
      "",
      facts.step.title,
      facts.step.description ?? "",
    );
    if (facts.step.acceptance_criteria !== undefined) lines.push("", `Done when: ${facts.step.acceptance_criteria}`);
    lines.push("");
  }
  lines.push(`## The work`, "", facts.full ? (bead.description ?? "") : cut(bead.description ?? "", bead.id));
  if (bead.acceptance_criteria !== undefined) lines.push("", `Done when: ${bead.acceptance_criteria}`);
  if (facts.feedback !== undefined)
    lines.push("", `## Attempt ${facts.attempt}: the last one was sent back`, "", facts.feedback);
  lines.push("", "## Finish", "");
  if (facts.step !== undefined && facts.stepName !== "submit")
    lines.push(`Commit what you changed, then: town close ${facts.step.id} --continue`);
  else lines.push("Commit what you changed, then: town done --outcome Submitted");
  lines.push("", "## Stuck", "", 'town done --outcome Question --reason "…" (or Blocked, Failed, NoChange)');
  return lines.join("\n");
}

function cut(text: string, id: string): string {
  return text.length <= BEAD_TEXT_LIMIT
    ? text
    : `${text.slice(0, BEAD_TEXT_LIMIT)}\n… cut; the whole text: bd show ${id}`;
}
