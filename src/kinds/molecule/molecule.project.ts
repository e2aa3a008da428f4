import { type BeadRecord, META } from "../../domain/work-graph/bead.ts";
import type { ProjectedInput } from "../../ports/object-store.ts";
import type { GraphReader } from "../../ports/work-graph.ts";
import { currentStep, FORMULA_KEY, stepsOf } from "../../work/molecule.ts";
import { defined, metaText, seconds } from "../../work/record-fields.ts";

export function projectMolecule(record: BeadRecord, graph: GraphReader): ProjectedInput {
  const steps = stepsOf(graph, record.id);
  const closed = steps.filter((step) => step.status === "closed").length;
  return {
    ...defined({ creationTimestamp: seconds(record.created_at) }),
    spec: defined({
      id: record.id,
      title: record.title,
      formula: metaText(record, FORMULA_KEY),
      bead: metaText(record, META.bead),
    }),
    status: defined({
      state: record.status,
      progress: `${closed}/${steps.length}`,
      current: currentStep(graph, record.id)?.id,
      steps: steps.map((step) => ({
        id: step.id,
        name: metaText(step, META.step) ?? step.id,
        title: step.title,
        state: step.status,
      })),
    }),
  };
}
