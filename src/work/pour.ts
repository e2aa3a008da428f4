import { cooked } from "../domain/formulas/cook.ts";
import type { Formula } from "../domain/formulas/formula.ts";
import type { Protomolecule, ProtoStep } from "../domain/formulas/protomolecule.ts";
import { type BeadRecord, META } from "../domain/work-graph/bead.ts";
import type { GraphTransaction } from "../ports/work-graph.ts";
import { FORMULA_KEY, moleculeOf, PARALLEL_KEY } from "./molecule.ts";

/** Content name of the protomolecule on a molecule root. */
const PROTO_KEY = "town.proto";

/**
 * Pours a formula for a bead: a molecule root and its steps, in this transaction. Idempotent by `key`: what was poured
 * under it before is returned. Throws when the formula cannot be cooked with these values.
 */
export function pour(
  tx: GraphTransaction,
  formula: Formula,
  bead: BeadRecord,
  key: string,
  values: Readonly<Record<string, string>> = {},
): BeadRecord {
  const former = tx.byKey(key);
  if (former !== undefined) return former;
  const proto = cooked(formula, {
    values: { ...values, bead: bead.id, title: bead.title },
    subject: { labels: bead.labels ?? [], type: bead.issue_type, priority: bead.priority },
  });
  return pourProto(tx, proto, {
    title: `${proto.formula}: ${bead.title}`,
    priority: bead.priority,
    ...(bead.owner === undefined ? {} : { owner: bead.owner }),
    metadata: { [META.key]: key, [META.bead]: bead.id },
  });
}

/** What the root says of what it is for. */
export interface PourAbout {
  readonly title: string;
  readonly priority: number;
  readonly owner?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Makes the beads of a protomolecule below a new root: steps with inner steps are epics, gates are beads that block
 * their step, `waits_for` is an edge. A vapor formula becomes a wisp.
 */
export function pourProto(tx: GraphTransaction, proto: Protomolecule, about: PourAbout): BeadRecord {
  const root = tx.create({
    ...about,
    issue_type: "molecule",
    description: proto.description,
    ...(proto.phase === "vapor" ? { ephemeral: true } : {}),
    metadata: { ...own(proto.metadata), ...about.metadata, [FORMULA_KEY]: proto.formula, [PROTO_KEY]: proto.id },
  });
  const holders = new Set(proto.steps.map((step) => step.parent));
  const made = new Map<string, string>();
  for (const step of proto.steps)
    made.set(step.id, pourStep(tx, step, { root, made, isHolder: holders.has(step.id) }).id);
  return root;
}

function pourStep(
  tx: GraphTransaction,
  step: ProtoStep,
  at: { readonly root: BeadRecord; readonly made: ReadonlyMap<string, string>; readonly isHolder: boolean },
): BeadRecord {
  const beadOf = (id: string): string => at.made.get(id) ?? id;
  const blockers = step.needs.map(beadOf);
  const gate = gateFor(tx, step, at.root);
  if (gate !== undefined) blockers.push(gate);
  const bead = tx.create({
    title: step.title,
    description: step.description,
    issue_type: at.isHolder ? "epic" : (step.type ?? "task"),
    priority: step.priority ?? at.root.priority,
    parent: step.parent === undefined ? at.root.id : beadOf(step.parent),
    ...(at.root.owner === undefined ? {} : { owner: at.root.owner }),
    ...(step.acceptance === undefined ? {} : { acceptance_criteria: step.acceptance }),
    ...(step.notes === undefined ? {} : { notes: step.notes }),
    ...(step.labels === undefined ? {} : { labels: step.labels }),
    ...(step.assignee === undefined ? {} : { assignee: step.assignee }),
    dependsOn: blockers.map((id) => ({ id, type: "blocks" })),
    metadata: {
      ...own(step.metadata),
      [META.step]: step.id,
      ...(step.parallel === true ? { [PARALLEL_KEY]: true } : {}),
    },
  });
  if (step.waitsFor !== undefined) addWait(tx, bead, { ...step.waitsFor, spawner: beadOf(step.waitsFor.spawner) });
  return bead;
}

/**
 * The edge of `waits_for`. Two beads have one edge between them: a step that also needs its spawner waits by way of the
 * bead that the plan is for, with the spawner named in the edge.
 */
function addWait(tx: GraphTransaction, step: BeadRecord, wait: NonNullable<ProtoStep["waitsFor"]>): void {
  const isTaken = (id: string): boolean => (step.dependencies ?? []).some((edge) => edge.depends_on_id === id);
  const about = moleculeOf(tx, step.id)?.metadata?.[META.bead];
  const way = isTaken(wait.spawner) && typeof about === "string" ? about : wait.spawner;
  if (isTaken(way)) tx.removeDependency(step.id, way);
  const metadata = { gate: wait.gate, ...(way === wait.spawner ? {} : { spawner_id: wait.spawner }) };
  tx.addDependency(step.id, way, "waits-for", JSON.stringify(metadata));
}

/** The bead that a step waits for beside its needs: for `bead` the one that is named, else a new gate. */
function gateFor(tx: GraphTransaction, step: ProtoStep, root: BeadRecord): string | undefined {
  const { gate } = step;
  if (gate === undefined) return undefined;
  const awaited = gate.await_id ?? gate.id;
  if (gate.type === "bead" && awaited !== undefined) return awaited;
  return tx.create({
    title: `Gate of ${step.id}: ${gate.type}${gate.condition === undefined ? "" : ` ${gate.condition}`}`,
    issue_type: "gate",
    priority: step.priority ?? root.priority,
    parent: root.id,
    description: `"${step.title}" waits for it. Closing it lets the step go on.`,
    await_type: gate.type,
    ...(awaited === undefined ? {} : { await_id: awaited }),
    ...(gate.timeout === undefined ? {} : { timeout: nanoseconds(gate.timeout) }),
  }).id;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12, d: 8.64e13 };

/** `1h30m` in the nanoseconds in which Beads keeps timeouts. */
function nanoseconds(duration: string): number {
  let total = 0;
  for (const [, amount, unit] of duration.matchAll(/(\d+)(ms|s|m|h|d)/g))
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  return total;
}

/** Keys that begin with `town.` are the town's, whoever else writes them. */
function own(metadata: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([key]) => !key.startsWith("town.")));
}
