import type { z } from "zod";

/** A column of `get`: the same declaration serves the built-in server and the generated CRD. */
export interface Column {
  readonly name: string;
  /** `date` cells hold RFC 3339 and are shown as an age. */
  readonly type: "string" | "integer" | "number" | "date" | "boolean";
  /** Kubernetes JSONPath without braces: `.spec.role`, `.status.conditions[?(@.type=="Ready")].status`. */
  readonly jsonPath: string;
  readonly description: string;
  /** Above 0: shown with `-o wide` only. Default 0. */
  readonly priority?: number;
}

export interface ScaleSubresource {
  /** `.spec.replicas` and the like. */
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/**
 * Where the truth of a kind is, and so where the API server routes its writes:
 * `Desired` = YAML files in git, `Work` = the work graph, `Observed` = computed now and read-only.
 */
export type Truth = "Desired" | "Work" | "Observed";

/** All that shared code may know of a kind. Everything else about it stays in its folder. */
export interface KindDefinition<S extends z.ZodType = z.ZodType, T extends z.ZodType = z.ZodType> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: "Cluster" | "Namespaced";
  readonly truth: Truth;
  /** First sentence of `explain`. */
  readonly description: string;
  readonly spec: S;
  readonly status: T;
  readonly columns: readonly Column[];
  readonly scale?: ScaleSubresource;
  /** JSON paths usable in field selectors beside metadata.name and metadata.namespace. */
  readonly selectableFields?: readonly string[];
}

/** Identity function that keeps the schema types; the place where defaults of a definition are filled in. */
export function defineKind<S extends z.ZodType, T extends z.ZodType>(
  definition: Omit<KindDefinition<S, T>, "version" | "singular" | "shortNames" | "categories"> &
    Partial<Pick<KindDefinition<S, T>, "version" | "singular" | "shortNames" | "categories">>,
): KindDefinition<S, T> {
  return {
    version: "v1alpha1",
    singular: definition.kind.toLowerCase(),
    shortNames: [],
    categories: ["all", "town"],
    ...definition,
  };
}
