import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { cook, type Formula } from "../domain/formulas/formula.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { TownError } from "../errors/town-error.ts";

/** Formula name on a molecule root. */
export const FORMULA_KEY = "town.formula";

/** Steps of a molecule in pour order (the `.N` of their ids). */
export function stepsOf(graph: GraphReader, molecule: string): readonly BeadRecord[] {
  const number = (id: string): number => Number(id.slice(id.lastIndexOf(".") + 1));
  return graph
    .childrenOf(molecule)
    .filter((record) => record.metadata?.[META.step] !== undefined)
    .toSorted((a, b) => number(a.id) - number(b.id));
}

/** The step to do now: the first open one whose needs are closed. Undefined when the molecule is done. */
export function currentStep(graph: GraphReader, molecule: string): BeadRecord | undefined {
  const steps = stepsOf(graph, molecule);
  const closed = new Set(steps.filter((step) => step.status === "closed").map((step) => step.id));
  const inOrder = (step: BeadRecord): boolean =>
    (step.dependencies ?? []).every((edge) => edge.type !== "blocks" || closed.has(edge.depends_on_id));
  return steps.find((step) => step.status !== "closed" && inOrder(step));
}

/** Newest change of a bead or of a step it is worked through, ms since the epoch; 0 when no time can be read. */
export function progressOf(graph: GraphReader, bead: BeadRecord): number {
  const molecule = bead.metadata?.[META.molecule];
  const steps = typeof molecule === "string" ? stepsOf(graph, molecule) : [];
  const changes = [bead, ...steps].map((record) => Date.parse(record.updated_at));
  return Math.max(0, ...changes.filter((ms) => !Number.isNaN(ms)));
}

/**
 * Pours a formula for a bead: a molecule root and its steps, in this transaction. Idempotent by `key`: what was poured
 * under it before is returned.
 */
export function pour(tx: GraphTransaction, formula: Formula, bead: BeadRecord, key: string): BeadRecord {
  const former = tx.byKey(key);
  if (former !== undefined) return former;
  const owner = bead.owner === undefined ? {} : { owner: bead.owner };
  const root = tx.create({
    title: `${formula.name}: ${bead.title}`,
    issue_type: "molecule",
    priority: bead.priority,
    description: formula.description,
    ...owner,
    metadata: { [META.key]: key, [META.bead]: bead.id, [FORMULA_KEY]: formula.name },
  });
  const ids = new Map<string, string>();
  for (const step of cook(formula, { bead: bead.id, title: bead.title })) {
    const made = tx.create({
      title: step.title,
      description: step.description,
      ...(step.acceptance === undefined ? {} : { acceptance_criteria: step.acceptance }),
      issue_type: "task",
      priority: bead.priority,
      parent: root.id,
      ...owner,
      dependsOn: step.needs.map((need) => ({ id: ids.get(need) ?? need, type: "blocks" })),
      metadata: { [META.step]: step.id },
    });
    ids.set(step.id, made.id);
  }
  return root;
}

/**
 * Closes a step and gives the next one, in one transaction. Repeating it for a closed step changes nothing. Refuses a
 * step whose turn has not come, naming the one to do first.
 */
export function closeStep(
  tx: GraphTransaction,
  stepId: string,
  reason: string | undefined,
): { readonly closed: BeadRecord; readonly next: BeadRecord | undefined } {
  const step = tx.get(stepId);
  const root = step === undefined ? undefined : tx.parentOf(stepId);
  if (step === undefined || root === undefined)
    throw new TownError("NotFound", `no step ${stepId} found`, { hint: "town mol current" });
  if (step.status === "closed") return { closed: step, next: currentStep(tx, root.id) };
  const current = currentStep(tx, root.id);
  if (current?.id !== stepId) {
    throw new TownError("NotItsTurn", `step ${stepId} cannot close yet: ${current?.id ?? "another step"} comes first`, {
      hint: "town mol current",
    });
  }
  const closed = tx.close(stepId, { reason: reason ?? "Done", force: true });
  return { closed, next: currentStep(tx, root.id) };
}

/** Ends a molecule whatever its state: open steps and the root are closed with the reason. */
export function endMolecule(tx: GraphTransaction, molecule: string, reason: string): void {
  for (const step of stepsOf(tx, molecule)) if (step.status !== "closed") tx.close(step.id, { reason, force: true });
  const root = tx.get(molecule);
  if (root !== undefined && root.status !== "closed") tx.close(molecule, { reason, force: true });
}
