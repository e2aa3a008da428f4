import { canonicalJson, deepFreeze } from "../work-graph/record/canonical.ts";
import { sha256 } from "../text/sha256.ts";
import type { CheckDocument, GateDocument, StepDocument } from "./step-document.ts";

/** One step, ready to be poured. */
export interface ProtoStep {
  readonly id: string;
  /** Step that it is a child of. */
  readonly parent?: string;
  readonly title: string;
  readonly description: string;
  readonly needs: readonly string[];
  readonly type?: string;
  readonly priority?: number;
  readonly labels?: readonly string[];
  readonly assignee?: string;
  readonly notes?: string;
  readonly acceptance?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Its children, or it and its neighbours, may be done at the same time. */
  readonly parallel?: boolean;
  readonly waitsFor?: { readonly gate: "all-children" | "any-children"; readonly spawner: string };
  readonly gate?: GateDocument;
  readonly check?: CheckDocument;
  readonly retry?: NonNullable<StepDocument["retry"]>;
  readonly timeout?: string;
  /** Condition that is asked when its turn comes. */
  readonly when?: string;
  readonly onComplete?: NonNullable<StepDocument["on_complete"]>;
}

/** A cooked formula: frozen, and named by its content. */
export interface Protomolecule {
  /** `sha256:` and 64 hexadecimal digits over all else, as canonical JSON. */
  readonly id: string;
  readonly formula: string;
  readonly version: number;
  readonly description: string;
  /** vapor: poured as a wisp, which leaves no record in git. */
  readonly phase: "liquid" | "vapor";
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Each after its parent and all that it needs; file order where that allows it. */
  readonly steps: readonly ProtoStep[];
}

export function freeze(content: Omit<Protomolecule, "id">): Protomolecule {
  return deepFreeze({ id: `sha256:${sha256(canonicalJson(content))}`, ...content });
}
