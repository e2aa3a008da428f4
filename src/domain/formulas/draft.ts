import type { FormulaPlace } from "./formula-problem.ts";
import type { StepDocument } from "./step-document.ts";

type Rewritten =
  | "needs"
  | "depends_on"
  | "condition"
  | "children"
  | "loop"
  | "labels"
  | "tags"
  | "title"
  | "ralph"
  | "check";

/** A step on its way through the compiler; each pass gives new ones. */
export interface Draft extends Omit<StepDocument, Rewritten> {
  readonly at: FormulaPlace;
  readonly title: string;
  readonly needs: readonly string[];
  readonly labels: readonly string[];
  /** All must hold for the step to stay: its own, and those of what it came from. */
  readonly conditions: readonly string[];
  readonly children: readonly Draft[];
  readonly check?: StepDocument["check"];
  readonly loop?: Omit<NonNullable<StepDocument["loop"]>, "body"> & { readonly body: readonly Draft[] };
}

/** `depends_on` is `needs`, `tags` are `labels`, `ralph` is `check`: one word for each from here on. */
export function draftOf(step: StepDocument, at: FormulaPlace): Draft {
  const { depends_on, tags, condition, children, loop, needs, labels, ralph, check, title, ...rest } = step;
  const below = (steps: readonly StepDocument[], ...path: readonly string[]): readonly Draft[] =>
    steps.map((child, index) => draftOf(child, { formula: at.formula, path: [...at.path, ...path, index] }));
  const checked = check ?? ralph;
  return {
    ...rest,
    at,
    title: title ?? "",
    needs: [...new Set([...(needs ?? []), ...(depends_on ?? [])])],
    labels: [...new Set([...(labels ?? []), ...(tags ?? [])])],
    conditions: condition === undefined ? [] : [condition],
    children: below(children ?? [], "children"),
    ...(checked === undefined ? {} : { check: checked }),
    ...(loop === undefined ? {} : { loop: { ...loop, body: below(loop.body, "loop", "body") } }),
  };
}

/** Every step of a tree, parents before their children. */
export function* everyDraft(steps: readonly Draft[]): Generator<Draft> {
  for (const step of steps) {
    yield step;
    yield* everyDraft(step.children);
  }
}

/** A copy of a tree with `change` done to each step, children first. */
export function mapDrafts(steps: readonly Draft[], change: (step: Draft) => Draft): readonly Draft[] {
  return steps.map((step) =>
    change(step.children.length === 0 ? step : { ...step, children: mapDrafts(step.children, change) }),
  );
}

/** Steps with other ids: `idOf` says which; what they need of each other goes along. Loop bodies too. */
export function renamed(steps: readonly Draft[], idOf: (id: string) => string): readonly Draft[] {
  const ids = new Set([...everyDraft(steps)].map((step) => step.id));
  const rename = (id: string): string => (ids.has(id) ? idOf(id) : id);
  return mapDrafts(steps, (step) => {
    const spawner = step.waits_for === undefined ? undefined : /^children-of\((.+)\)$/.exec(step.waits_for)?.[1];
    return {
      ...step,
      id: rename(step.id),
      needs: step.needs.map(rename),
      ...(spawner === undefined ? {} : { waits_for: `children-of(${rename(spawner)})` }),
    };
  });
}
