import type { CommandInput, FlagSpec } from "../context.ts";
import { textFlag } from "../context.ts";
import type { Scope } from "./objects.ts";

export const NAMESPACE: FlagSpec = {
  name: "namespace",
  short: "n",
  alias: "rig",
  type: "string",
  value: "NS",
  summary: "the rig (or `hq`) to look in; default: all of them",
};
export const ALL_NAMESPACES: FlagSpec = {
  name: "all-namespaces",
  short: "A",
  type: "boolean",
  summary: "every namespace, which is also the default",
};
export const SELECTOR: FlagSpec = {
  name: "selector",
  short: "l",
  type: "string",
  value: "LABELS",
  summary: "only objects with these labels, as `a=b,c!=d,e in (f,g)`",
};
export const FIELD_SELECTOR: FlagSpec = {
  name: "field-selector",
  type: "string",
  value: "FIELDS",
  summary: "only objects with these fields, as `spec.role=crew`",
};
export const OUTPUT: FlagSpec = outputFlag("wide, json, yaml, name, jsonpath=TEMPLATE or custom-columns=SPEC");
export const OUTPUT_NAME: FlagSpec = outputFlag(
  "print `name` or the resulting object as json or yaml instead of a message",
);
/** Of verbs whose answer has fields beside its text. */
export const OUTPUT_ANSWER: FlagSpec = outputFlag("print the answer as json or yaml", "json", "yaml");
export const DRY_RUN: FlagSpec = {
  name: "dry-run",
  type: "optional",
  choices: ["none", "server", "client"],
  summary: "check everything, change nothing",
};
export const ALL: FlagSpec = { name: "all", type: "boolean", summary: "all objects of the type in the namespace" };
export const TIMEOUT: FlagSpec = {
  name: "timeout",
  type: "string",
  value: "DURATION",
  summary: "give up after this long, as 30s or 5m; 0 looks once",
};
export const FILENAME: FlagSpec = {
  name: "filename",
  short: "f",
  type: "list",
  value: "FILE",
  summary: "YAML file or directory; - is stdin; may be repeated",
};
export const RECURSIVE: FlagSpec = {
  name: "recursive",
  short: "R",
  type: "boolean",
  summary: "with a directory: also its subdirectories",
};

export const NO_HEADERS: FlagSpec = { name: "no-headers", type: "boolean", summary: "leave out the header line" };
export const IGNORE_NOT_FOUND: FlagSpec = {
  name: "ignore-not-found",
  type: "boolean",
  summary: "say nothing and exit 0 when an object does not exist",
};

export const ERROR_UNCHANGED: FlagSpec = {
  name: "error-unchanged",
  type: "boolean",
  summary: "exit 3 when nothing changed",
};

/** Of verbs that change objects which are there. */
export const CHANGE_FLAGS: readonly FlagSpec[] = [
  NAMESPACE,
  ALL_NAMESPACES,
  SELECTOR,
  ALL,
  DRY_RUN,
  OUTPUT_NAME,
  ERROR_UNCHANGED,
];

/** `-o`, of these formats; of any where none are named. */
export function outputFlag(summary: string, ...choices: readonly string[]): FlagSpec {
  const flag = { name: "output", short: "o", type: "string", value: "FORMAT", summary } as const;
  return choices.length === 0 ? flag : { ...flag, choices };
}

/** The namespace of `-n`, which `-A` overrules. */
export function scopeOf(input: CommandInput): Scope {
  return { namespace: input.flags["allNamespaces"] === true ? undefined : textFlag(input, "namespace") };
}
