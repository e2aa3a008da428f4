import { expect } from "vitest";
import type { Condition } from "../src/resource/condition.ts";
import type { TownObject } from "../src/resource/object-meta.ts";

export interface StatusCheckOptions {
  /** Condition types kept by other loops than the one that just ran: S6 does not ask whether they are up to date. */
  readonly kept?: readonly string[];
}

interface Facts {
  readonly ready: Condition | undefined;
  readonly reconciling: boolean;
  readonly stalled: boolean;
  readonly generation: number;
  readonly observed: number | undefined;
  readonly conditions: readonly Condition[];
  readonly kept: ReadonlySet<string>;
}

const isTrue = (condition: Condition | undefined): boolean => condition?.status === "True";

/** What a status must satisfy after every reconcile, numbered so that a failure can be looked up. */
const INVARIANTS: readonly { readonly id: string; readonly says: string; readonly holds: (facts: Facts) => boolean }[] =
  [
    { id: "S1", says: "Ready is always present", holds: ({ ready }) => ready !== undefined },
    {
      id: "S2",
      says: "nothing abnormal beside Ready=True",
      holds: ({ ready, reconciling, stalled }) => !isTrue(ready) || (!reconciling && !stalled),
    },
    {
      id: "S3",
      says: "Stalled makes Ready=False",
      holds: ({ ready, stalled }) => !stalled || ready?.status === "False",
    },
    {
      id: "S4",
      says: "never both Reconciling and Stalled",
      holds: ({ reconciling, stalled }) => !reconciling || !stalled,
    },
    {
      id: "S5",
      says: "no observedGeneration above generation",
      holds: ({ observed, generation, conditions }) =>
        [observed, ...conditions.map((condition) => condition.observedGeneration)].every(
          (seen) => seen === undefined || seen <= generation,
        ),
    },
    {
      id: "S6",
      says: "with Ready=True every observedGeneration is the generation",
      holds: ({ ready, observed, generation, conditions, kept }) =>
        !isTrue(ready) ||
        (observed === generation &&
          conditions.every((condition) => kept.has(condition.type) || condition.observedGeneration === generation)),
    },
    {
      id: "S7",
      says: "Ready=Unknown goes with Reconciling=True",
      holds: ({ ready, reconciling }) => ready?.status !== "Unknown" || reconciling,
    },
  ];

/** The invariants that an object's status breaks, as `S2: …`; empty when all hold. */
export function statusProblems(object: TownObject, options: StatusCheckOptions = {}): string[] {
  const status = (object.status ?? {}) as {
    readonly conditions?: readonly Condition[];
    readonly observedGeneration?: number;
  };
  const conditions = status.conditions ?? [];
  const of = (type: string): Condition | undefined => conditions.find((condition) => condition.type === type);
  const facts: Facts = {
    ready: of("Ready"),
    reconciling: isTrue(of("Reconciling")),
    stalled: isTrue(of("Stalled")),
    generation: object.metadata.generation,
    observed: status.observedGeneration,
    conditions,
    kept: new Set(options.kept),
  };
  return INVARIANTS.filter(({ holds }) => !holds(facts)).map(({ id, says }) => `${id}: ${says}`);
}

/** Fails the test when the status of an object breaks an invariant; shows the conditions. */
export function checkStatus(object: TownObject | undefined, options: StatusCheckOptions = {}): void {
  if (object === undefined) throw new Error("checkStatus: there is no such object");
  const problems = statusProblems(object, options);
  expect(
    problems,
    `${object.kind} ${object.metadata.name} breaks ${problems.join("; ")} with status ${JSON.stringify(object.status)}`,
  ).toEqual([]);
}
