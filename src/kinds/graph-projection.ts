import type { BeadRecord } from "../domain/work-graph/bead.ts";
import type { ObjectStore, ProjectedInput } from "../ports/object-store.ts";
import type { GraphReader, WorkGraph } from "../ports/work-graph.ts";
import { AGENT } from "../work/agent-record.ts";
import { beadUnderWay } from "../work/ledger.ts";
import { MERGE_QUEUE_TYPE, queuedIn } from "../work/merge-queue.ts";
import { moleculeOf } from "../work/molecule.ts";
import { metaText } from "../work/record-fields.ts";
import { META } from "../domain/work-graph/bead.ts";
import { kubernetesNameOf } from "../domain/work-graph/ids/kubernetes-name.ts";
import { projectAgent } from "./agent/agent.project.ts";
import { projectBead } from "./bead/bead.project.ts";
import { projectEscalation } from "./escalation/escalation.project.ts";
import { projectMessage } from "./message/message.project.ts";
import { projectMergeRequest } from "./merge-request/merge-request.project.ts";
import { projectMolecule } from "./molecule/molecule.project.ts";

interface Projection {
  readonly kind: string;
  readonly name: (record: BeadRecord) => string;
  readonly project: (record: BeadRecord, graph: GraphReader) => ProjectedInput;
}

const byId = (record: BeadRecord): string => kubernetesNameOf(record.id);

/** How records of a type show in the API; every other type is a Bead. */
const PROJECTIONS: Readonly<Record<string, Projection>> = {
  agent: {
    kind: "Agent",
    name: (record) => metaText(record, AGENT.name) ?? byId(record),
    project: projectAgent,
  },
  molecule: { kind: "Molecule", name: byId, project: projectMolecule },
  message: { kind: "Message", name: byId, project: projectMessage },
  escalation: { kind: "Escalation", name: byId, project: projectEscalation },
  "merge-request": { kind: "MergeRequest", name: byId, project: projectMergeRequest },
};
const BEAD: Projection = { kind: "Bead", name: byId, project: projectBead };

/**
 * Keeps the API's view of one store: every record now, then every change, together with the records whose view depends
 * on it (dependents, parent and molecule). A record that cannot be shown is told to `failed`; the others go on.
 */
export async function projectGraph(
  graph: WorkGraph,
  store: ObjectStore,
  failed: (error: unknown, id: string) => void,
): Promise<{ refresh(ids: readonly string[]): void; settled(): Promise<void>; end(): Promise<void> }> {
  const { namespace } = graph;
  let last: Promise<void> = Promise.resolve();
  const show = async (record: BeadRecord): Promise<void> => {
    // Steps are shown in their molecule, and what a queue knows at its requests.
    if (record.metadata?.[META.step] !== undefined || record.issue_type === MERGE_QUEUE_TYPE) return;
    try {
      await showOne(record);
    } catch (error) {
      failed(error, record.id);
    }
  };
  const showOne = async (record: BeadRecord): Promise<void> => {
    const projection = PROJECTIONS[record.issue_type] ?? BEAD;
    await store.project(
      { kind: projection.kind, namespace, name: projection.name(record) },
      record.status === "tombstone" ? undefined : projection.project(record, graph),
    );
  };
  const showAll = (affected: ReadonlyMap<string, BeadRecord | undefined>): void => {
    last = last.then(async () => {
      for (const [id, before] of affected) {
        const now = graph.get(id);
        if (now !== undefined) await show(now);
        else if (before !== undefined) await show({ ...before, status: "tombstone" });
      }
    });
  };
  const unsubscribe = graph.subscribe((changes) => {
    const affected = new Map<string, BeadRecord | undefined>();
    for (const change of changes) {
      affected.set(change.id, change.before);
      if (change.after?.issue_type === MERGE_QUEUE_TYPE)
        for (const id of queuedIn(change.before)) affected.set(id, undefined);
      for (const id of neighbours(change.id, change.after ?? change.before, graph))
        if (!affected.has(id)) affected.set(id, undefined);
    }
    showAll(affected);
  });
  for (const record of graph.list()) await show(record);
  await last;
  return {
    refresh: (ids) => showAll(new Map(ids.map((id) => [id, undefined]))),
    settled: () => last,
    async end() {
      unsubscribe();
      await last;
      for (const record of graph.list()) await show({ ...record, status: "tombstone" });
    },
  };
}

function neighbours(id: string, record: BeadRecord | undefined, graph: GraphReader): readonly string[] {
  const parents = (record?.dependencies ?? [])
    .filter((edge) => edge.type === "parent-child")
    .map((edge) => edge.depends_on_id);
  const molecule = record?.metadata?.[META.molecule];
  const root = record?.metadata?.[META.step] === undefined ? undefined : moleculeOf(graph, id);
  // What is used at a bead under way is kept with its agent.
  const atWork = record?.issue_type === "agent" ? beadUnderWay(record) : undefined;
  return [
    ...queuedIn(record),
    ...(atWork === undefined ? [] : [atWork]),
    ...graph.dependentsOf(id).map((edge) => edge.issue_id),
    ...parents,
    ...(root === undefined ? [] : [root.id]),
    ...(typeof molecule === "string" ? [molecule] : []),
  ];
}
