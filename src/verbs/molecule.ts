import { z } from "zod";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { ApiStatusError } from "../errors/town-error.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { GraphReader } from "../ports/work-graph.ts";
import type { Caller } from "../resource/caller.ts";
import type { Verb } from "../resource/verb.ts";
import { heldBy, PARALLEL_KEY, placeIn, stepsOf } from "../work/molecule.ts";
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
      const { current, ready } = placeIn(graph, id);
      const closed = steps.filter((step) => step.status === "closed").length;
      const states = new Map(steps.map((step) => [step.id, stepState(step, current, ready)]));
      const held = current === undefined ? heldBy(graph, id) : [];
      const data = {
        molecule: id,
        progress: { completed: closed, total: steps.length },
        current:
          current === undefined ? null : { id: current.id, name: current.metadata?.[META.step], title: current.title },
        held_by: held.map((gate) => ({ id: gate.id, title: gate.title, type: gate.issue_type })),
        steps: steps.map((step) => ({
          id: step.id,
          name: step.metadata?.[META.step],
          title: step.title,
          status: states.get(step.id),
          parallel: step.metadata?.[PARALLEL_KEY] === true,
        })),
      };
      const summary = `${id}: ${closed} of ${steps.length} steps closed`;
      if (action === "progress") return Promise.resolve({ text: summary, data });
      const lines = steps.map((step) => stepLine(step, states.get(step.id) ?? "pending", id));
      const waits = held.map((gate) => `No step can be done; those left wait for ${gate.id}: ${gate.title}`);
      return Promise.resolve({ text: [summary, ...lines, ...waits].join("\n"), data });
    },
  };
}

type StepState = "done" | "current" | "ready" | "pending";

const MARK: Readonly<Record<StepState, string>> = { done: "✓", current: "→", ready: "○", pending: "·" };

function stepState(step: BeadRecord, current: BeadRecord | undefined, ready: readonly BeadRecord[]): StepState {
  if (step.status === "closed") return "done";
  if (step.id === current?.id) return "current";
  return ready.some(({ id }) => id === step.id) ? "ready" : "pending";
}

/** Inner steps are indented by what they are inside of: each level is one more number in the id. */
function stepLine(step: BeadRecord, state: StepState, molecule: string): string {
  const depth = step.id.slice(molecule.length).split(".").length - 2;
  const beside = step.metadata?.[PARALLEL_KEY] === true ? "  (beside the others)" : "";
  return `  ${"  ".repeat(depth)}${MARK[state]} ${String(step.metadata?.[META.step])}  ${step.id}  ${step.title}${beside}`;
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
