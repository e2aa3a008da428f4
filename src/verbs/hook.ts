import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb, VerbResult } from "../resource/verb.ts";
import { type AddressedAgent, agentNamed } from "../work/agent-address.ts";
import { hookOf } from "../work/agent-record.ts";
import { currentStep, stepsOf } from "../work/molecule.ts";
import { sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";
import { clearHook } from "./hook-clear.ts";
import { putOnHook } from "./hook-put.ts";
import { requirePermission } from "./permission.ts";
import { repeatable } from "./repeatable.ts";

const hookArguments = z.strictObject({
  agent: z.string().min(1).optional(),
  bead: z.string().min(1).optional(),
  clear: z.boolean().default(false),
  reason: z.string().max(10_000).optional(),
  force: z.boolean().default(false),
});

/**
 * `town hook`: what is on my hook. `town hook AGENT`: what is on theirs. `town hook AGENT BEAD`: puts work there.
 * `town hook [AGENT] --clear`: hands it on, to whoever takes the bead next.
 */
export function hookVerb(ports: LoopPorts): Verb {
  return repeatable(ports, {
    name: "hook",
    summary: "the bead on an agent's hook; put one there, or hand it on with --clear",
    needs: "agent",
    async run({ caller, args }, { whole: once }) {
      const options = argumentsOf("hook", hookArguments, args);
      const session = caller.session === undefined ? undefined : sessionOf("hook", caller, ports);
      if (options.agent === undefined && session === undefined) {
        if (options.clear)
          throw new ApiStatusError(400, "BadRequest", "town hook --clear: outside a session you must say whose hook", {
            hint: "town hook AGENT --clear",
          });
        return personsHook(caller, ports);
      }
      const agent =
        options.agent === undefined && session !== undefined
          ? session
          : agentNamed(options.agent ?? "", ports, session?.namespace);
      const own = agent.identity === session?.identity;
      if (options.bead !== undefined) {
        requirePermission(caller, "Sling", `put work on the hook of ${agent.identity}`, ports);
        return await putOnHook({ agent, bead: options.bead, caller, once }, ports);
      }
      if (!options.clear) return agentsHook(agent, own);
      if (!own) requirePermission(caller, "Sling", `clear the hook of ${agent.identity}`, ports);
      return await clearHook({ agent, caller, reason: options.reason, force: options.force, own, once }, ports);
    },
  });
}

function agentsHook(agent: Omit<AddressedAgent, "record">, own: boolean): VerbResult {
  const bead = hookOf(agent.graph, agent.identity);
  const whose = own ? "your hook" : `the hook of ${agent.identity}`;
  if (bead === undefined) return { text: `nothing is on ${whose}`, data: { agent: agent.identity, hook: null } };
  const text = `${lineOf(bead)}\n${placeOf(bead, agent.graph)}${own ? "town prime says what to do" : ""}`.trimEnd();
  return { text, data: { agent: agent.identity, hook: dataOf(bead, agent.graph) } };
}

/** A person may have taken several beads. */
function personsHook(caller: Caller, ports: LoopPorts): VerbResult {
  const names = [caller.name, ...(caller.email === undefined ? [] : [caller.email])];
  const taken = ports.graphs
    .all()
    .flatMap((graph) =>
      names.flatMap((assignee) =>
        graph.list({ assignee, status: ["hooked", "in_progress"] }).map((bead) => ({ bead, graph })),
      ),
    );
  return {
    text:
      taken.length === 0
        ? "nothing is on your hook; `town hook AGENT` shows an agent's"
        : taken.map(({ bead }) => lineOf(bead)).join("\n"),
    data: { agent: caller.name, hook: taken.map(({ bead, graph }) => dataOf(bead, graph)) },
  };
}

function lineOf(bead: BeadRecord): string {
  return `${bead.id} (P${bead.priority}, ${bead.status}): ${bead.title}`;
}

function placeOf(bead: BeadRecord, graph: GraphReader): string {
  const molecule = bead.metadata?.[META.molecule];
  if (typeof molecule !== "string") return "";
  const steps = stepsOf(graph, molecule);
  const step = currentStep(graph, molecule);
  if (step === undefined) return `all ${steps.length} steps are closed\n`;
  const at = steps.findIndex(({ id }) => id === step.id) + 1;
  return `step ${at} of ${steps.length}: ${step.id} ${step.title}\n`;
}

function dataOf(bead: BeadRecord, graph: GraphReader): unknown {
  const molecule = bead.metadata?.[META.molecule];
  const step = typeof molecule === "string" ? currentStep(graph, molecule) : undefined;
  return {
    id: bead.id,
    title: bead.title,
    status: bead.status,
    priority: bead.priority,
    ...(typeof molecule === "string" ? { molecule } : {}),
    ...(step === undefined ? {} : { step: { id: step.id, name: step.metadata?.[META.step], title: step.title } }),
  };
}
