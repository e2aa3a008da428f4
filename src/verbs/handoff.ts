import { z } from "zod";
import { META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { RoleSpec } from "../kinds/role/role.schema.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { type AddressedAgent, agentNamed } from "../work/agent-address.ts";
import { AGENT, agentRecord, generationOf, hookOf } from "../work/agent-record.ts";
import { endConversation } from "../work/conversation.ts";
import { recordHandoff } from "../work/handoff.ts";
import { sendMessage } from "../work/mailbox.ts";
import { currentStep } from "../work/molecule.ts";
import { metaText } from "../work/record-fields.ts";
import { authorOf, checkFence, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { requirePermission } from "./permission.ts";
import { type Once, repeatable } from "./repeatable.ts";

const handoffArguments = z.strictObject({
  note: z.string().max(10_000).optional(),
  message: z.string().max(10_000).optional(),
  agent: z.string().min(1).optional(),
  /** The note is kept as mail to the agent as well. */
  mail: z.boolean().default(false),
  /** What the agent program told its hook; `trigger` is `manual` when a person asked it to compact. */
  hook: z.looseObject({ trigger: z.string().max(100).optional() }).optional(),
});

const CONTEXT_FULL = "The context was full. `git log` and `git diff` in your sandbox show how far you came.";

/**
 * `town handoff`: ends this session and goes on with the same hook and step in a fresh one, which reads the note first.
 * With a hook's input: the program's context is full, and the role's `onContextFull` decides.
 */
export function handoffVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "handoff",
    summary: "save where you are, end this session, go on in a fresh one",
    needs: "agent",
    async run({ caller, args }, once) {
      const options = argumentsOf("handoff", handoffArguments, args);
      const note = (options.note ?? options.message ?? "").trim();
      const agent = agentFor(caller, options.agent, ports);
      if (options.hook !== undefined && staysInContext(agent, options.hook.trigger, ports))
        return { text: "", data: { agent: agent.identity, handedOff: false } };
      if (options.mail && note === "")
        throw new ApiStatusError(400, "BadRequest", "town handoff --mail: there is no note to keep", {
          hint: 'town handoff --mail "where you are"',
        });
      const said = options.hook === undefined ? note : note || CONTEXT_FULL;
      return handOff(agent, { note: said, mail: options.mail, once }, caller, ports);
    },
  });
}

function agentFor(caller: Caller, named: string | undefined, ports: LoopPorts): AddressedAgent {
  if (caller.session !== undefined) {
    const session = sessionOf("handoff", caller, ports);
    const own = { ...session, record: session.record };
    if (named === undefined) return own;
    const agent = agentNamed(named, ports, session.namespace);
    if (agent.identity === session.identity) return own;
    requirePermission(caller, "Nudge", `hand off the session of ${agent.identity}`, ports);
    return agent;
  }
  if (named === undefined)
    throw new ApiStatusError(400, "BadRequest", "town handoff: outside a session you must say whose", {
      hint: "town handoff --agent AGENT",
    });
  return agentNamed(named, ports);
}

/** Compaction goes on: the role says so, or a person asked for it at the program's prompt. */
function staysInContext(agent: AddressedAgent, trigger: string | undefined, ports: LoopPorts): boolean {
  const role = ports.objects.get({ kind: "Role", name: metaText(agent.record, AGENT.role) ?? "" }) as
    | TownObject<RoleSpec>
    | undefined;
  return trigger === "manual" || role?.spec.onContextFull === "Reprime";
}

async function handOff(
  agent: AddressedAgent,
  { note, mail, once }: { readonly note: string; readonly mail: boolean; readonly once: Once },
  caller: Caller,
  ports: LoopPorts,
): Promise<VerbResult> {
  const own = caller.session !== undefined && caller.name === agent.identity;
  const author = authorOf(caller);
  const work = (tx: GraphTransaction): VerbResult & { readonly data: HandedOff } => {
    const record = agentRecord(tx, agent.name) ?? agent.record;
    if (own && caller.session !== undefined) checkFence(tx, agent.name, caller.session.generation);
    if (generationOf(record) === 0)
      throw new ApiStatusError(409, "NoSession", `${agent.identity} has never had a session`, {
        hint: `town describe agent ${agent.name} -n ${agent.namespace}`,
      });
    const hooked = hookOf(tx, agent.identity);
    const molecule = hooked?.metadata?.[META.molecule];
    const step = typeof molecule === "string" ? currentStep(tx, molecule) : undefined;
    recordHandoff(
      tx,
      record,
      {
        generation: generationOf(record),
        note,
        ...(hooked === undefined ? {} : { bead: hooked.id }),
        ...(step === undefined ? {} : { step: step.id }),
      },
      agent.identity,
    );
    if (mail)
      sendMessage(tx, {
        to: agent.identity,
        from: author.actor,
        subject: `Handoff${hooked === undefined ? "" : ` of ${hooked.id}`}`,
        text: note,
        durable: true,
        key: `handoff/${agent.identity}/${generationOf(record)}`,
      });
    // A fresh start is what is asked for: the next session does not go on with this conversation.
    endConversation(tx, agentRecord(tx, agent.name) ?? record, "HandedOff");
    const stays = hooked === undefined ? "" : `: ${hooked.id} stays on the hook, at its step`;
    return {
      text: `handed off${stays}. This session ends now; a fresh one goes on.`,
      data: {
        agent: agent.identity,
        generation: generationOf(record),
        bead: hooked?.id ?? null,
        handedOff: true,
      },
    };
  };
  const result = await agent.graph.transact(author, work, once.whole);
  const { generation, bead } = result.data;
  ports.events.record(
    { kind: "Agent", namespace: agent.namespace, name: agent.name },
    {
      type: "Normal",
      reason: "HandedOff",
      message: `generation ${generation} hands off${bead === null ? "" : ` ${bead}`}`,
      actor: author.actor,
    },
  );
  return result;
}

interface HandedOff {
  readonly agent: string;
  readonly generation: number;
  readonly bead: string | null;
  readonly handedOff: true;
}
