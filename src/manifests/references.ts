import { isRecord } from "../resource/equality.ts";
import { keyText, TOWN_NAMESPACE } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { findCycles } from "../domain/order/cycles.ts";
import { fieldText } from "./field-path.ts";
import type { FieldPath } from "./field-path.ts";
import type { LoadedObject } from "./load-file.ts";
import type { Problem } from "./problem.ts";
import { byPlace } from "./problem.ts";
import { didYouMean } from "../domain/text/suggestion.ts";

/**
 * A field of a kind that names another object, as data. The value is a name, `namespace/name`, `Kind/name`,
 * `Kind/namespace/name`, or a mapping with `name` and optionally `kind` and `namespace`.
 */
export interface ReferenceRule {
  /** Kind whose spec has the field. */
  readonly from: string;
  /** Path in the spec; `[]` stands for every item of a list: `role`, `items[].rig`, `dependsOn[]`. */
  readonly path: string;
  /** Kind that is named, where the value does not say another. */
  readonly to: string;
  /** Where a bare name is looked up: the same namespace, that of the town, the first of both that has it, or none. */
  readonly namespace: "Same" | "Town" | "SameOrTown" | "Cluster";
  /** The named object comes first, so a cycle is an error. Default false. */
  readonly orders?: boolean;
}

export interface ReferenceCheck {
  readonly rules: readonly ReferenceRule[];
  /** Objects that exist without being among those checked: built-in ones, those of other sources. */
  readonly known: readonly ObjectKey[];
  /** Kind whose objects own the namespaces. A namespace without one is a problem, `hq` and `default` apart. */
  readonly namespaceKind?: string;
}

interface Reference {
  readonly from: LoadedObject;
  readonly at: FieldPath;
  readonly rule: ReferenceRule;
  readonly text: string;
  /** The keys it may mean, best first. */
  readonly candidates: readonly ObjectKey[];
}

/**
 * What only all objects together show: references to nothing and cycles of what orders. These do not keep an object
 * from being applied (what is missing may come from elsewhere); `validate` counts them. Pure.
 */
export function checkReferences(objects: readonly LoadedObject[], check: ReferenceCheck): readonly Problem[] {
  const keys = [...objects.map((object) => object.key), ...check.known];
  const existing = new Set(keys.map(keyText));
  const references = objects.flatMap((object) =>
    check.rules.filter((rule) => rule.from === object.key.kind).flatMap((rule) => referencesOf(object, rule)),
  );
  const dangling = references.filter((reference) => !reference.candidates.some((key) => existing.has(keyText(key))));
  return [
    ...dangling.map((reference) => danglingProblem(reference, keys)),
    ...cycleProblems(objects, references, existing),
    ...(check.namespaceKind === undefined ? [] : namespaceProblems(objects, check.namespaceKind, keys)),
  ].sort(byPlace);
}

function referencesOf(object: LoadedObject, rule: ReferenceRule): readonly Reference[] {
  return fieldsAt(object.spec, rule.path).flatMap(({ value, at }) => {
    const named = readReference(value, rule);
    return named === undefined
      ? []
      : [{ from: object, at, rule, text: named.text, candidates: candidatesFor(named, rule, object.key) }];
  });
}

/** The values that a spec has at a path such as `items[].rig`, with their places. */
export function fieldsAt(spec: unknown, path: string): readonly { readonly value: unknown; readonly at: FieldPath }[] {
  return valuesAt(
    spec,
    path.split(/\.|(?=\[\])/).filter((part) => part !== ""),
    ["spec"],
  );
}

function valuesAt(
  value: unknown,
  parts: readonly string[],
  at: FieldPath,
): readonly { readonly value: unknown; readonly at: FieldPath }[] {
  const [part, ...rest] = parts;
  if (part === undefined) return value === undefined || value === null ? [] : [{ value, at }];
  if (part === "[]")
    return Array.isArray(value) ? value.flatMap((item, index) => valuesAt(item, rest, [...at, index])) : [];
  return isRecord(value) && Object.hasOwn(value, part) ? valuesAt(value[part], rest, [...at, part]) : [];
}

interface Named {
  readonly text: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

function readReference(value: unknown, rule: ReferenceRule): Named | undefined {
  if (isRecord(value)) {
    const { kind, namespace, name } = value;
    if (typeof name !== "string") return undefined;
    return {
      text: name,
      kind: typeof kind === "string" ? kind : rule.to,
      namespace: typeof namespace === "string" ? namespace : undefined,
      name,
    };
  }
  if (typeof value !== "string") return undefined;
  const parts = value.split("/");
  const name = parts.pop() ?? "";
  const kind = /^[A-Z]/.test(parts[0] ?? "") ? parts.shift() : undefined;
  return { text: value, kind: kind ?? rule.to, namespace: parts[0], name };
}

function candidatesFor({ kind, namespace, name }: Named, rule: ReferenceRule, from: ObjectKey): readonly ObjectKey[] {
  if (namespace !== undefined) return [{ kind, namespace, name }];
  if (kind !== rule.to)
    return [...(from.namespace === undefined ? [] : [{ kind, namespace: from.namespace, name }]), { kind, name }];
  const own = { kind, namespace: from.namespace ?? TOWN_NAMESPACE, name };
  const town = { kind, namespace: TOWN_NAMESPACE, name };
  return { Same: [own], Town: [town], SameOrTown: [own, town], Cluster: [{ kind, name }] }[rule.namespace];
}

function danglingProblem({ from, at, text, candidates, rule }: Reference, keys: readonly ObjectKey[]): Problem {
  const wanted = candidates[0] ?? { kind: rule.to, name: text };
  const near = keys.filter(
    (key) => key.kind === wanted.kind && candidates.some((candidate) => candidate.namespace === key.namespace),
  );
  const hint =
    didYouMean(
      text,
      near.map((key) => key.name),
    ) ?? `Declare ${candidates.map(keyText).join(" or ")}, or name one that exists.`;
  return {
    path: from.origin.path,
    ...from.placeOf(at),
    severity: "Error",
    reason: "ReferenceDangling",
    key: from.key,
    message: `\`${fieldText(at)}\` names ${wanted.kind} '${text}', which does not exist`,
    hint,
  };
}

function cycleProblems(
  objects: readonly LoadedObject[],
  references: readonly Reference[],
  existing: ReadonlySet<string>,
): readonly Problem[] {
  const edges = new Map<string, Map<string, Reference>>();
  for (const reference of references) {
    const target = reference.candidates.map(keyText).find((key) => existing.has(key));
    if (reference.rule.orders !== true || target === undefined) continue;
    const from = keyText(reference.from.key);
    const known = edges.get(from) ?? new Map<string, Reference>();
    edges.set(from, known.set(target, reference));
  }
  const cycles = findCycles(
    objects.map((object) => keyText(object.key)),
    (node) => [...(edges.get(node)?.keys() ?? [])],
  );
  return cycles.flatMap((cycle) => {
    const reference = edges.get(cycle[0] ?? "")?.get(cycle[1] ?? "");
    if (reference === undefined) return [];
    const { from, at } = reference;
    return [
      {
        path: from.origin.path,
        ...from.placeOf(at),
        severity: "Error" as const,
        reason: "DependencyCycle",
        key: from.key,
        message: `\`${fieldText(at)}\` closes a cycle: ${cycle.join(" → ")}`,
        hint: "Remove one of these dependencies.",
      },
    ];
  });
}

function namespaceProblems(
  objects: readonly LoadedObject[],
  kind: string,
  keys: readonly ObjectKey[],
): readonly Problem[] {
  const owners = new Set(keys.filter((key) => key.kind === kind).map((key) => key.name));
  return objects.flatMap((object) => {
    const { namespace } = object.key;
    if (namespace === undefined || namespace === TOWN_NAMESPACE || namespace === "default" || owners.has(namespace))
      return [];
    const hint =
      didYouMean(namespace, [...owners, TOWN_NAMESPACE]) ?? `Declare ${kind} ${namespace}, or use '${TOWN_NAMESPACE}'.`;
    return [
      {
        path: object.origin.path,
        ...object.placeOf(["metadata", "namespace"]),
        severity: "Error" as const,
        reason: "NamespaceMissing",
        key: object.key,
        message: `\`metadata.namespace\` '${namespace}' belongs to no ${kind}`,
        hint,
      },
    ];
  });
}
