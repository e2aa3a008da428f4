import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb } from "../resource/verb.ts";
import { currentStep, stepsOf } from "../work/molecule.ts";
import { hookedBead, sessionOf } from "./agent-session.ts";
import { argumentsOf } from "./arguments.ts";

const molArguments = z.strictObject({ id: z.string().optional() });

/** `town mol current|progress [ID]`: where a molecule stands; in a session, the one on the hook. */
export function molVerb(action: "current" | "progress", ports: LoopPorts): Verb {
  return {
    name: `mol ${action}`,
    summary: action === "current" ? "the step to do now" : "how far a molecule is",
    needs: "agent",
    run({ caller, args }) {
      const options = argumentsOf(`mol ${action}`, molArguments, args);
      const { graph, id } = moleculeFor(caller, options.id, ports);
      const steps = stepsOf(graph, id);
      const current = currentStep(graph, id);
      const closed = steps.filter((step) => step.status === "closed").length;
      const data = {
        molecule: id,
        progress: { completed: closed, total: steps.length },
        current:
          current === undefined ? null : { id: current.id, name: current.metadata?.[META.step], title: current.title },
        steps: steps.map((step) => ({
          id: step.id,
          name: step.metadata?.[META.step],
          title: step.title,
          status: stepState(step, current),
        })),
      };
      const summary = `${id}: ${closed} of ${steps.length} steps closed`;
      if (action === "progress") return Promise.resolve({ text: summary, data });
      const mark = { done: "✓", current: "→", pending: "·" } as const;
      const lines = steps.map(
        (step) =>
          `  ${mark[stepState(step, current)]} ${String(step.metadata?.[META.step])}  ${step.id}  ${step.title}`,
      );
      return Promise.resolve({ text: [summary, ...lines].join("\n"), data });
    },
  };
}

function stepState(step: BeadRecord, current: BeadRecord | undefined): "done" | "current" | "pending" {
  return step.status === "closed" ? "done" : step.id === current?.id ? "current" : "pending";
}

function moleculeFor(
  caller: Caller,
  id: string | undefined,
  ports: LoopPorts,
): { readonly graph: GraphReader; readonly id: string } {
  if (id === undefined) {
    const session = sessionOf("mol", caller, ports);
    const molecule = hookedBead("mol", session).metadata?.[META.molecule];
    if (typeof molecule !== "string")
      throw new ApiStatusError(404, "NotFound", "the work on your hook has no molecule", { hint: "town prime" });
    return { graph: session.graph, id: molecule };
  }
  const graph = ports.graphs.graphOf(id);
  const record = graph?.get(id);
  if (graph === undefined || record === undefined)
    throw new ApiStatusError(404, "NotFound", `no molecule or bead ${id} found`, { hint: "town get molecules" });
  if (record.issue_type === "molecule") return { graph, id };
  const molecule = record.metadata?.[META.molecule];
  if (typeof molecule !== "string")
    throw new ApiStatusError(404, "NotFound", `${id} has no molecule`, { hint: "town get molecules" });
  return { graph, id: molecule };
}
