import { didYouMean } from "../text/suggestion.ts";
import { isRunTime } from "./conditions.ts";
import type { Draft } from "./draft.ts";
import type { Tell } from "./formula-problem.ts";
import type { ProtoStep } from "./protomolecule.ts";
import type { PlacedDraft } from "./step-order.ts";

/** A step as it is poured. `ids`: of all steps, to tell a `waits_for` that waits for nobody. */
export function protoStep({ step, parent }: PlacedDraft, ids: ReadonlySet<string>, tell: Tell): ProtoStep {
  const when = step.conditions.filter(isRunTime);
  const isParallel = step.parallel === true || step.type === "parallel";
  return {
    id: step.id,
    title: step.title,
    description: (step.description ?? "").trim(),
    needs: step.needs,
    ...present({
      parent: parent?.id,
      type: step.type === "parallel" ? undefined : step.type,
      priority: step.priority,
      labels: step.labels.length === 0 ? undefined : step.labels,
      assignee: step.assignee,
      notes: step.notes,
      acceptance: step.acceptance,
      metadata: step.metadata,
      parallel: isParallel ? true : undefined,
      waitsFor: step.waits_for === undefined ? undefined : waitOf(step, step.waits_for, ids, tell),
      gate: step.gate,
      check: step.check,
      retry: step.retry,
      timeout: step.timeout,
      when: when.length === 0 ? undefined : when.join(" && "),
      onComplete: step.on_complete,
    }),
  };
}

type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Present<T>;
}

/** The spawner is the one named; else the first that the step needs, whose children it gathers. */
function waitOf(step: Draft, text: string, ids: ReadonlySet<string>, tell: Tell): ProtoStep["waitsFor"] {
  const named = /^children-of\((.+)\)$/.exec(text)?.[1];
  const spawner = named ?? step.needs[0];
  if (spawner !== undefined && ids.has(spawner))
    return { gate: text === "any-children" ? "any-children" : "all-children", spawner };
  if (named === undefined) {
    const message = `step '${step.id}' waits for children and needs no step that could have them`;
    tell(step.at, "waits_for", "SpawnerUnknown", message, "Write `children-of(STEP)`.");
  } else tell(step.at, "waits_for", "SpawnerUnknown", `there is no step '${named}'`, didYouMean(named, ids));
  return undefined;
}
