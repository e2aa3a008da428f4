import type { z } from "zod";
import { idOfKubernetesName, kubernetesNameOf } from "../../domain/work-graph/ids/kubernetes-name.ts";
import { ApiStatusError, TownError } from "../../errors/town-error.ts";
import type { TruthWrite } from "../../ports/object-store.ts";
import type { BeadPatch, WorkGraph, WorkGraphs } from "../../ports/work-graph.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import type { beadSpec } from "./bead.schema.ts";

type BeadSpec = z.infer<typeof beadSpec>;

/** Makes a client's write of a Bead true in the work graph of its namespace. */
export async function writeBead(change: TruthWrite, graphs: WorkGraphs): Promise<void> {
  const namespace = change.key.namespace ?? "hq";
  const graph = graphs.graph(namespace);
  if (graph === undefined)
    throw new ApiStatusError(503, "ServiceUnavailable", `the work graph of ${namespace} is not open yet`, {
      hint: `try again in a moment; town describe rig/${namespace} says what it waits for`,
    });
  if (change.dryRun) return;
  const author = { actor: change.caller.name };
  try {
    await graph.transact(author, (tx) => {
      const { before, after } = change;
      if (after === undefined) tx.delete(idOf(change), "deleted through the API");
      else if (before === undefined) {
        const spec = after.spec as BeadSpec;
        tx.create({
          ...fieldsOf(spec),
          title: spec.title,
          id: newId(change, spec, graph),
          ...(spec.parent === undefined ? {} : { parent: spec.parent }),
          dependsOn: spec.dependsOn ?? [],
        });
      } else tx.update(idOf(change), changedFields(before.spec as BeadSpec, after.spec as BeadSpec));
    });
  } catch (error) {
    if (error instanceof ApiStatusError || !(error instanceof TownError)) throw error;
    throw new ApiStatusError(
      error.reason === "NotFound" ? 404 : 409,
      error.reason === "NotFound" ? "NotFound" : "Conflict",
      error.message,
      { cause: error, hint: error.hint ?? "town describe bead" },
    );
  }
}

function idOf(change: TruthWrite): string {
  const stated = ((change.before ?? change.after) as TownObject | undefined)?.spec["id"];
  return typeof stated === "string" ? stated : idOfKubernetesName(change.key.name);
}

/** The id of a new bead is its name; it must belong to the namespace's store. */
function newId(change: TruthWrite, spec: BeadSpec, graph: WorkGraph): string {
  const id = spec.id ?? idOfKubernetesName(change.key.name);
  if (kubernetesNameOf(id) !== change.key.name)
    throw new ApiStatusError(
      422,
      "Invalid",
      `Bead.work.town.dev "${change.key.name}" is invalid: spec.id: Invalid value: "${id}": must be the name of the object`,
    );
  if (!id.startsWith(`${graph.prefix}-`))
    throw new ApiStatusError(
      422,
      "Invalid",
      `Bead.work.town.dev "${change.key.name}" is invalid: metadata.name: Invalid value: "${id}": must begin with '${graph.prefix}-', the prefix of ${graph.namespace}`,
    );
  return id;
}

function fieldsOf(spec: BeadSpec): BeadPatch {
  return {
    title: spec.title,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    ...(spec.design === undefined ? {} : { design: spec.design }),
    ...(spec.acceptance === undefined ? {} : { acceptance_criteria: spec.acceptance }),
    ...(spec.notes === undefined ? {} : { notes: spec.notes }),
    issue_type: spec.type,
    priority: spec.priority,
    ...(spec.owner === undefined ? {} : { owner: spec.owner }),
    ...(spec.labels === undefined ? {} : { labels: spec.labels }),
  };
}

function changedFields(before: BeadSpec, after: BeadSpec): BeadPatch {
  const old = fieldsOf(before);
  const next = fieldsOf(after);
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    if (JSON.stringify(old[key]) !== JSON.stringify(next[key])) patch[key] = next[key] ?? null;
  }
  return patch;
}
