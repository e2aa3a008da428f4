import { DOORBELL } from "../../domain/agent-program/town-prompts.ts";
import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { raiseEscalation } from "../../work/escalation.ts";
import { OVERSEER, sendMessage, undelivered } from "../../work/mailbox.ts";
import { messagesText } from "../../work/message-text.ts";
import { holdProvider, liftHold } from "../../work/provider-hold.ts";
import { answerOf, QUESTION, questionOf } from "../../work/question.ts";
import { type AgentObject, agentSessionName } from "./agent.observe.ts";
import { kept } from "./evidence.ts";
import { providerOf } from "./hooks.observe.ts";
import type { HooksAction } from "./hooks.plan.ts";
import type { Doorbell } from "./hooks.situation.ts";

const AUTHOR = { actor: "loop/hooks" };

export async function executeHooks(action: HooksAction, object: AgentObject, ports: LoopPorts): Promise<void> {
  switch (action.do) {
    case "Ring":
      return ring(action, object, ports);
    case "Restart":
      return giveUpSession(action, object, ports);
    case "Escalate":
      return escalate(action, object, ports);
    case "Hold":
      return holdProvider(ports, action.provider, {
        reason: action.reason,
        untilMs: action.untilMs,
        agent: object.spec.identity,
        message: action.message,
      });
    case "LiftHold":
      return liftHold(ports, action.provider);
    case "EndQuestion":
      return endQuestion(action.bead, object, ports);
    default:
      return action satisfies never;
  }
}

/**
 * Types the line. That it will be typed is on record first: after a crash in between nobody knows, and it is not typed
 * again before it could have had an effect.
 */
async function ring(
  action: Extract<HooksAction, { readonly do: "Ring" }>,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const key = keyOf(object);
  const { do: _do, reminder, ...rung } = action;
  const doorbell: Doorbell = { ...rung, time: new Date(ports.clock.now()).toISOString(), result: "Ringing" };
  await ports.objects.patchStatus(key, { doorbell });
  const file = await contentFile(object, action.generation, ports);
  const line = file === undefined ? DOORBELL : `${DOORBELL} (Messages: ${file})`;
  const result = await ports.sessions.type(sessionName(object), action.generation, line);
  if (result === "Refused") {
    // Nothing was typed, so nothing was reminded.
    const former = object.status?.doorbell?.generation === action.generation ? object.status.doorbell : undefined;
    const { reminders = 0, repeats = 0 } = former ?? {};
    const sequence = former?.sequence ?? 0;
    await ports.objects.patchStatus(key, { doorbell: { ...doorbell, reminders, repeats, sequence, result } });
    throw new WaitingError("DoorbellRefused", "a person is in front of its terminal; nothing was typed", 5_000);
  }
  await ports.objects.patchStatus(key, { doorbell: { ...doorbell, result } });
  if (reminder)
    ports.events.record(key, {
      type: "Normal",
      reason: "Reminded",
      message: `generation ${action.generation} was reminded of ${action.hook}`,
    });
}

/** What waits for a program without hooks, in a file that it can read; undefined when its hooks bring it. */
async function contentFile(object: AgentObject, generation: number, ports: LoopPorts): Promise<string | undefined> {
  if (hasPromptHook(object, ports)) return undefined;
  const namespace = object.metadata.namespace ?? "hq";
  const graph = ports.graphs.graph(namespace);
  const waiting = graph === undefined ? [] : undelivered(graph, object.spec.identity, generation, ports.clock.now());
  if (waiting.length === 0) return undefined;
  const directory = `${ports.layout.state}/mail`;
  const path = `${directory}/${namespace}-${object.metadata.name}.md`;
  await ports.files.makeDirectory(directory, { mode: 0o700 });
  await ports.files.writeAtomic(path, `${messagesText(waiting)}\n`, {
    mode: 0o600,
  });
  return path;
}

function hasPromptHook(object: AgentObject, ports: LoopPorts): boolean {
  const hooks = providerOf(object, ports)?.spec.hooks;
  return hooks?.events.includes("PromptSubmit") === true;
}

/** Puts on record what its screen showed. The workers loop, which alone starts and ends sessions, ends it on this plan. */
async function giveUpSession(
  action: Extract<HooksAction, { readonly do: "Restart" }>,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const key = keyOf(object);
  await ports.objects.patchStatus(key, { lastOutput: kept(action.output) });
  ports.events.record(key, {
    type: "Warning",
    reason: "Unresponsive",
    message: `generation ${action.generation} is restarted: ${action.reason}; its last line: ${lastLine(action.output)}`,
  });
}

async function escalate(
  action: Extract<HooksAction, { readonly do: "Escalate" }>,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const key = keyOf(object);
  const graph = graphOf(object, ports);
  const { identity } = object.spec;
  const title =
    action.bead === undefined ? `${identity} does not read its messages` : `${identity} does not act on ${action.bead}`;
  const raised = await graph.transact(AUTHOR, (tx) =>
    raiseEscalation(tx, {
      title,
      text: `${action.reason}.\n\nLast lines of its screen:\n\n${kept(action.output)}`,
      severity: "high",
      ...(action.bead === undefined ? {} : { bead: action.bead }),
      agent: identity,
      key: `unresponsive/${action.hook === "" ? identity : action.hook}`,
    }),
  );
  await ports.objects.patchStatus(key, { lastOutput: kept(action.output) });
  ports.events.record(key, {
    type: "Warning",
    reason: "Escalated",
    message: `${raised.id}: ${title}: ${action.reason}`,
  });
}

/** The question was answered: reminders count again. An answer in a comment is brought to the agent as a message. */
async function endQuestion(bead: string, object: AgentObject, ports: LoopPorts): Promise<void> {
  const { identity } = object.spec;
  await graphOf(object, ports).transact(AUTHOR, (tx) => {
    const record = tx.get(bead);
    const question = record === undefined ? undefined : questionOf(record);
    if (record === undefined || question === undefined) return;
    const answer = answerOf(tx, record, question, identity);
    if (answer === undefined) return;
    if (answer.by === "Comment")
      sendMessage(tx, {
        to: identity,
        from: answer.author === "" ? OVERSEER : answer.author,
        subject: `Answer to your question about ${bead}`,
        text: answer.text,
        durable: false,
        urgent: true,
        key: `answer/${bead}/${question.at}`,
      });
    tx.setMetadata(bead, { [QUESTION]: null });
  });
}

function graphOf(object: AgentObject, ports: LoopPorts): WorkGraph {
  const namespace = object.metadata.namespace ?? "hq";
  const graph = ports.graphs.graph(namespace);
  if (graph === undefined) throw new WaitingError("RigNotReady", `the work graph of ${namespace} is not open`, 1_000);
  return graph;
}

function keyOf(object: AgentObject): { readonly kind: "Agent"; readonly namespace: string; readonly name: string } {
  return { kind: "Agent", namespace: object.metadata.namespace ?? "hq", name: object.metadata.name };
}

function sessionName(object: AgentObject): string {
  return agentSessionName(object.metadata.namespace ?? "hq", object.spec, object.metadata.name);
}

function lastLine(output: string): string {
  return kept(output).split("\n").at(-1)?.trim().slice(0, 200) ?? "";
}
