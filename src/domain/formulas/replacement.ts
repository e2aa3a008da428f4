import type { Draft } from "./draft.ts";

/** What stands where a step was. None: the step is gone, and who needed it needs what it needed. */
export interface Replacement {
  readonly steps: readonly Draft[];
  /** Steps that must be done before what needed the old step. Default: those that no other of them needs. */
  readonly exits?: readonly string[];
}

/**
 * A tree of steps with some replaced. Needs follow: what needed an old step needs the exits of what replaced it, and the
 * first of the new steps need what the old one needed, so that no need dangles. A step that is among its own
 * replacements stays, with its children looked at. Linear in steps and needs.
 */
export function replaceSteps(tree: readonly Draft[], replacements: ReadonlyMap<Draft, Replacement>): readonly Draft[] {
  if (replacements.size === 0) return tree;
  return new Replacing(replacements).tree(tree);
}

class Replacing {
  readonly #byStep: ReadonlyMap<Draft, Replacement>;
  readonly #byId: ReadonlyMap<string, { readonly old: Draft; readonly by: Replacement }>;
  readonly #exits = new Map<string, readonly string[]>();

  constructor(replacements: ReadonlyMap<Draft, Replacement>) {
    this.#byStep = replacements;
    this.#byId = new Map([...replacements].map(([old, by]) => [old.id, { old, by }]));
  }

  tree(steps: readonly Draft[]): readonly Draft[] {
    return steps.flatMap((step) => {
      const by = this.#byStep.get(step);
      return by === undefined
        ? [{ ...step, needs: this.#needs(step.needs), children: this.tree(step.children) }]
        : this.#placed(step, by.steps);
    });
  }

  #placed(old: Draft, steps: readonly Draft[]): readonly Draft[] {
    const inside = new Set(steps.map((step) => step.id));
    const inherited = this.#needs(old.needs.filter((need) => need !== old.id));
    return steps.map((step) => {
      const inner = step.needs.filter((need) => inside.has(need));
      const outer = this.#needs(step.needs.filter((need) => !inside.has(need) && need !== old.id));
      const stays = step.id === old.id;
      return {
        ...step,
        needs: [...new Set([...(inner.length === 0 ? inherited : []), ...outer, ...inner])],
        children: stays ? this.tree(step.children) : this.#rewritten(step.children),
      };
    });
  }

  #rewritten(steps: readonly Draft[]): readonly Draft[] {
    return steps.map((step) => ({
      ...step,
      needs: this.#needs(step.needs),
      children: this.#rewritten(step.children),
    }));
  }

  #needs(needs: readonly string[]): readonly string[] {
    return needs.length === 0 ? needs : [...new Set(needs.flatMap((need) => this.#exitsOf(need)))];
  }

  #exitsOf(id: string): readonly string[] {
    const found = this.#byId.get(id);
    if (found === undefined) return [id];
    const known = this.#exits.get(id);
    if (known !== undefined) return known;
    this.#exits.set(id, []);
    const exits =
      found.by.exits ?? (found.by.steps.length === 0 ? this.#needs(found.old.needs) : sinksOf(found.by.steps));
    this.#exits.set(id, exits);
    return exits;
  }
}

/** Steps of a list that no other of it needs. */
export function sinksOf(steps: readonly Draft[]): readonly string[] {
  const needed = new Set(steps.flatMap((step) => step.needs));
  return steps.map((step) => step.id).filter((id) => !needed.has(id));
}
