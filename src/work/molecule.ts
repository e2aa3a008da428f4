import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import { waitsForOf } from "../domain/work-graph/record/edges.ts";
import type { GraphReader, GraphTransaction } from "../ports/work-graph.ts";
import { TownError } from "../errors/town-error.ts";

/** Formula name on a molecule root. */
export const FORMULA_KEY = "town.formula";

/** On a step: it may be done at the same time as those beside it. */
export const PARALLEL_KEY = "town.parallel";

/** Steps of a molecule in pour order (the `.N` of their ids), each before the steps inside it. */
export function stepsOf(graph: GraphReader, molecule: string): readonly BeadRecord[] {
  const number = (id: string): number => Number(id.slice(id.lastIndexOf(".") + 1));
  return graph
    .childrenOf(molecule)
    .filter((record) => record.metadata?.[META.step] !== undefined)
    .toSorted((a, b) => number(a.id) - number(b.id))
    .flatMap((step) => [step, ...stepsOf(graph, step.id)]);
}

/** The molecule that a step is in, however deep. Undefined for what is no step. */
export function moleculeOf(graph: GraphReader, step: string): BeadRecord | undefined {
  let at = graph.get(step);
  for (let depth = 0; at?.metadata?.[META.step] !== undefined && depth < MAX_DEPTH; depth += 1)
    at = graph.parentOf(at.id);
  return at === undefined || at.id === step ? undefined : at;
}

/** Deeper than steps are ever nested. */
const MAX_DEPTH = 32;

/** Where a molecule stands. */
export interface MoleculePlace {
  /** The step to do now: the first that can be done. */
  readonly current: BeadRecord | undefined;
  /** All that can be done now, in order. */
  readonly ready: readonly BeadRecord[];
  /** Open steps that hold no others and whose turn has not come. */
  readonly waiting: readonly BeadRecord[];
}

/** What can be done now and what waits: for steps, for gates, or for other beads. Steps that hold others are not done but closed by them. */
export function placeIn(graph: GraphReader, molecule: string): MoleculePlace {
  const steps = stepsOf(graph, molecule);
  const holders = new Set(steps.map((step) => graph.parentOf(step.id)?.id));
  const open = steps.filter((step) => step.status !== "closed" && !holders.has(step.id));
  const blocked = new Set(open.filter((step) => graph.isBlocked(step.id)).map((step) => step.id));
  const ready = open.filter((step) => !blocked.has(step.id));
  return { current: ready[0], ready, waiting: open.filter((step) => blocked.has(step.id)) };
}

/** The step to do now: the first open one that nothing holds back. Undefined when all are done, or wait. */
export function currentStep(graph: GraphReader, molecule: string): BeadRecord | undefined {
  const steps = stepsOf(graph, molecule);
  const holders = new Set(steps.map((step) => graph.parentOf(step.id)?.id));
  return steps.find((step) => step.status !== "closed" && !holders.has(step.id) && !graph.isBlocked(step.id));
}

/** What keeps the steps left from being done, other than steps: gates and beads outside. Empty when nothing does. */
export function heldBy(graph: GraphReader, molecule: string): readonly BeadRecord[] {
  const about = graph.get(molecule)?.metadata?.[META.bead];
  const steps = stepsOf(graph, molecule).filter((step) => step.status !== "closed");
  const blockers = steps.flatMap((step) => [...graph.blockersOf(step.id), ...awaitedBy(graph, step)]);
  const outside = blockers.filter(({ id, metadata }) => metadata?.[META.step] === undefined && id !== about);
  return [...new Map(outside.map((blocker) => [blocker.id, blocker])).values()];
}

/** Open children that a step gathers, wherever they were made. */
function awaitedBy(graph: GraphReader, step: BeadRecord): readonly BeadRecord[] {
  return (step.dependencies ?? [])
    .filter((edge) => edge.type === "waits-for")
    .flatMap((edge) => graph.childrenOf(waitsForOf(edge).spawnerId))
    .filter((child) => child.status !== "closed");
}

/** Newest change of a bead or of a step it is worked through, ms since the epoch; 0 when no time can be read. */
export function progressOf(graph: GraphReader, bead: BeadRecord): number {
  const molecule = bead.metadata?.[META.molecule];
  const steps = typeof molecule === "string" ? stepsOf(graph, molecule) : [];
  const changes = [bead, ...steps].map((record) => Date.parse(record.updated_at));
  return Math.max(0, ...changes.filter((ms) => !Number.isNaN(ms)));
}

export interface StepClosed {
  readonly closed: BeadRecord;
  /** The step to do now; undefined when all are done, or wait. */
  readonly next: BeadRecord | undefined;
  /** With no next step: what the steps left wait for. */
  readonly heldBy: readonly BeadRecord[];
}

/**
 * Closes a step and gives the next one, in one transaction; steps whose last inner step that was close with it.
 * Repeating it for a closed step changes nothing. Refuses a step whose turn has not come, naming the one to do first.
 */
export function closeStep(tx: GraphTransaction, stepId: string, reason: string | undefined): StepClosed {
  const step = tx.get(stepId);
  const root = moleculeOf(tx, stepId);
  if (step === undefined || root === undefined)
    throw new TownError("NotFound", `no step ${stepId} found`, { hint: "town mol current" });
  if (step.status === "closed") return closedIn(tx, step, root.id);
  const { current, ready } = placeIn(tx, root.id);
  if (!ready.some((each) => each.id === stepId)) {
    const first = current?.id ?? tx.blockersOf(stepId)[0]?.id ?? "another step";
    throw new TownError("NotItsTurn", `step ${stepId} cannot close yet: ${first} comes first`, {
      hint: "town mol current",
    });
  }
  const closed = tx.close(stepId, { reason: reason ?? "Done", force: true });
  closeFinishedHolders(tx, stepId);
  return closedIn(tx, closed, root.id);
}

function closedIn(tx: GraphTransaction, closed: BeadRecord, molecule: string): StepClosed {
  const next = currentStep(tx, molecule);
  return { closed, next, heldBy: next === undefined ? heldBy(tx, molecule) : [] };
}

function closeFinishedHolders(tx: GraphTransaction, step: string): void {
  const holder = tx.parentOf(step);
  if (holder?.metadata?.[META.step] === undefined || holder.status === "closed") return;
  if (stepsOf(tx, holder.id).some((inner) => inner.status !== "closed")) return;
  tx.close(holder.id, { reason: "All its steps are done", force: true });
  closeFinishedHolders(tx, holder.id);
}

/** Ends a molecule whatever its state: open steps, inner ones first, their gates and the root are closed with the reason. */
export function endMolecule(tx: GraphTransaction, molecule: string, reason: string): void {
  for (const step of stepsOf(tx, molecule).toReversed())
    if (step.status !== "closed") tx.close(step.id, { reason, force: true });
  for (const gate of tx.childrenOf(molecule))
    if (gate.issue_type === "gate" && gate.status !== "closed") tx.close(gate.id, { reason, force: true });
  const root = tx.get(molecule);
  if (root !== undefined && root.status !== "closed") tx.close(molecule, { reason, force: true });
}
