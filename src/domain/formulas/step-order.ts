import { findCycles } from "../order/cycles.ts";
import { didYouMean } from "../text/suggestion.ts";
import { MAX_STEPS } from "./compilation.ts";
import type { Draft } from "./draft.ts";
import type { Tell } from "./formula-problem.ts";

export interface PlacedDraft {
  readonly step: Draft;
  readonly parent: Draft | undefined;
}

/**
 * The steps of a tree, each after its parent and after all that it needs, in file order where that allows it. Undefined,
 * with everything told, when ids collide, a need dangles, or steps need each other in a circle. Linear time, no recursion
 * along needs.
 */
export function orderSteps(tree: readonly Draft[], tell: Tell): readonly PlacedDraft[] | undefined {
  const placed = new Map<string, PlacedDraft>();
  if (!place(tree, undefined, placed, tell)) return undefined;
  if (placed.size > MAX_STEPS) {
    const at = { formula: tree[0]?.at.formula ?? "", path: [] };
    tell(at, undefined, "TooManySteps", `there are ${placed.size} steps; at most ${MAX_STEPS} can be poured`);
    return undefined;
  }
  let isSound = true;
  for (const { step } of placed.values()) {
    for (const need of step.needs) {
      if (placed.has(need)) continue;
      isSound = false;
      const hint = didYouMean(need, placed.keys());
      tell(
        step.at,
        "needs",
        "NeedUnknown",
        `step '${step.id}' needs '${need}', which is no step of this formula`,
        hint,
      );
    }
  }
  if (!isSound || hasCycle(placed, tell)) return undefined;
  return sorted(placed);
}

/** Deepest nesting of children. */
const MAX_NESTING = 8;

function place(
  steps: readonly Draft[],
  parent: Draft | undefined,
  placed: Map<string, PlacedDraft>,
  tell: Tell,
  depth = 0,
): boolean {
  let isSound = true;
  for (const step of steps) {
    if (placed.has(step.id)) {
      tell(step.at, "id", "StepRepeated", `step '${step.id}' is there twice`, "Give one of them another id.");
      isSound = false;
    } else placed.set(step.id, { step, parent });
    if (depth > MAX_NESTING) {
      tell(step.at, "children", "NestedTooDeep", `steps are nested more than ${MAX_NESTING} deep`);
      isSound = false;
    } else isSound = place(step.children, step, placed, tell, depth + 1) && isSound;
  }
  return isSound;
}

/** A step begins after its parent began and what it needs ended; it ends after it began and its children ended. */
function hasCycle(placed: ReadonlyMap<string, PlacedDraft>, tell: Tell): boolean {
  const edges = new Map<string, string[]>();
  for (const { step, parent } of placed.values()) {
    edges.set(`<${step.id}`, [...(parent === undefined ? [] : [`<${parent.id}`]), ...step.needs.map((id) => `>${id}`)]);
    edges.set(`>${step.id}`, [`<${step.id}`, ...step.children.map((child) => `>${child.id}`)]);
  }
  const cycles = findCycles([...edges.keys()], (node) => edges.get(node) ?? []);
  for (const cycle of cycles) {
    const ids = cycle.map((node) => node.slice(1)).filter((id, index, all) => index === 0 || all[index - 1] !== id);
    if (ids.length === 1) ids.push(ids[0] ?? "");
    const shown = ids.length > 12 ? [...ids.slice(0, 10), "…", ...ids.slice(-1)] : ids;
    const first = placed.get(ids[0] ?? "")?.step;
    if (first === undefined) continue;
    const message = `steps need each other in a circle: ${shown.join(" → ")}`;
    tell(first.at, "needs", "StepCycle", message, "Remove one of these needs.");
  }
  return cycles.length > 0;
}

/** Depth first with a stack of its own: a step comes as early as its place in the file and its needs allow. */
function sorted(placed: ReadonlyMap<string, PlacedDraft>): readonly PlacedDraft[] {
  const done = new Set<string>();
  const ordered: PlacedDraft[] = [];
  // What must be there before a step is: its parent, what it needs, and what the parent needs.
  const first = ({ step, parent }: PlacedDraft): readonly string[] =>
    parent === undefined ? step.needs : [parent.id, ...step.needs];
  for (const start of placed.keys()) {
    const stack = [{ id: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const entry = placed.get(top.id);
      const need = entry === undefined ? undefined : first(entry)[top.next];
      top.next += 1;
      if (done.has(top.id)) stack.pop();
      else if (need !== undefined) {
        if (!done.has(need)) stack.push({ id: need, next: 0 });
      } else {
        done.add(top.id);
        if (entry !== undefined) ordered.push(entry);
        stack.pop();
      }
    }
  }
  return ordered;
}
