import { isAlias, isCollection, isMap, isScalar, isSeq } from "yaml";
import type { Node, Scalar } from "yaml";

/** Something wrong at a place of one document; lines are those of the file. */
export interface Fault {
  readonly line: number;
  readonly column: number;
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
}

export type PlaceAt = (offset: number) => { line: number; column: number };

/** Faults told of one document; more would only repeat the first ones. */
export const MAX_FAULTS = 10;
const CORE_TAGS: ReadonlySet<string> = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

/** What is valid YAML but refused in manifests, since it cannot be edited in place or does not survive as JSON. */
export function treeFaults(root: unknown, place: PlaceAt): readonly Fault[] {
  const faults: Fault[] = [];
  const add: AddFault = (node, fault) => {
    faults.push({ ...place(node.range?.[0] ?? 0), ...fault });
  };
  const visit = (node: unknown): void => {
    if (faults.length >= MAX_FAULTS) return;
    if (isAlias(node))
      return add(node, {
        reason: "AliasRefused",
        message: `the alias '*${node.source}' must not be used`,
        hint: "Write the value out here.",
      });
    if (!isScalar(node) && !isCollection(node)) return;
    if (node.anchor !== undefined)
      add(node, {
        reason: "AnchorRefused",
        message: `the anchor '&${node.anchor}' must not be used: an edit of one place would change the others`,
        hint: "Remove it, and write the value out at each place.",
      });
    if (node.tag !== undefined && !CORE_TAGS.has(node.tag))
      add(node, {
        reason: "TagUnknown",
        message: `the tag '${node.tag}' must not be used`,
        hint: "Remove the `!` tag; only plain YAML 1.2 values are read.",
      });
    if (isScalar(node)) numberFault(node, add);
    if (isMap(node))
      for (const pair of node.items) {
        visitKey(pair.key, add);
        visit(pair.value);
      }
    else if (isSeq(node)) for (const item of node.items) visit(item);
  };
  visit(root);
  return faults;
}

type AddFault = (node: Node, fault: Omit<Fault, "line" | "column">) => void;

function numberFault(node: Scalar, add: AddFault): void {
  if (typeof node.value !== "number") return;
  const source = node.source ?? String(node.value);
  if (!Number.isFinite(node.value))
    add(node, {
      reason: "NumberNotFinite",
      message: `'${source}' must be a finite number`,
      hint: "Quote it if text is meant.",
    });
  else if (Number.isInteger(node.value) && !Number.isSafeInteger(node.value))
    add(node, {
      reason: "NumberTooLarge",
      message: `'${source}' must be between -(2^53 - 1) and 2^53 - 1 to be kept exactly`,
      hint: "Quote it if text is meant.",
    });
}

function visitKey(key: unknown, add: AddFault): void {
  if (isScalar(key)) {
    if (key.anchor !== undefined)
      add(key, {
        reason: "AnchorRefused",
        message: `the anchor '&${key.anchor}' must not be used on a key`,
        hint: "Remove it.",
      });
    if (typeof key.value !== "string")
      add(key, {
        reason: "KeyNotText",
        message: `the key '${key.source ?? String(key.value)}' must be text`,
        hint: `Quote it: "${key.source ?? String(key.value)}".`,
      });
    else if (key.value === "__proto__")
      add(key, { reason: "KeyRefused", message: "the key '__proto__' must not be used" });
    else if (key.value === "<<")
      add(key, {
        reason: "MergeKeyRefused",
        message: "the merge key '<<' must not be used",
        hint: "Write the fields out.",
      });
  } else if (isCollection(key) || isAlias(key)) {
    add(key, {
      reason: "KeyNotText",
      message: "a key must be text, not a list, a mapping or an alias",
      hint: "Remove the `?` or quote the key.",
    });
  }
}
