import { canonicalType } from "../../domain/work-graph/record/bead-types.ts";
import { nearest } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";

/** Types of work with what they are for, in the order help shows them. */
export const workTypes: Readonly<Record<string, string>> = {
  task: "a piece of work",
  bug: "something is broken",
  feature: "something new",
  epic: "a goal whose children are the work",
  chore: "upkeep: dependencies, tooling",
  decision: "a choice, with what it rests on",
  spike: "find something out",
  story: "what a user wants to do",
  milestone: "a date or state to reach",
};

/** Types of the machinery, which commands make rather than people. */
export const machineTypes: Readonly<Record<string, string>> = {
  message: "mail",
  molecule: "a workflow poured for a bead",
  gate: "something to wait for",
  event: "something that happened",
  "merge-request": "work that waits to be merged",
  "merge-queue": "what the merge queue knows",
  convoy: "beads followed together",
  escalation: "needs somebody's attention",
  agent: "an identity that works",
  role: "what an agent is told",
  rig: "a repository",
};

/** Names from the setting `types.custom`. */
export function customTypes(setting: string | undefined): readonly string[] {
  return (setting ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** The type that is meant, aliases such as `feat` resolved. Throws TownError `Usage` naming what is allowed. */
export function issueTypeOf(text: string, custom: readonly string[]): string {
  const hint = typeHint(text, custom);
  if (hint === undefined) return named(text);
  throw usageError(`invalid issue type: ${text}`, hint);
}

/** What to write instead of a type that is none; undefined for one that is. */
export function typeHint(text: string, custom: readonly string[]): string | undefined {
  const type = named(text);
  const known = [...Object.keys(workTypes), ...Object.keys(machineTypes), ...custom];
  if (known.includes(type)) return undefined;
  const meant = nearest(type, known);
  return meant === undefined
    ? `types are ${[...Object.keys(workTypes), ...custom].join(", ")}; more with: bd config set types.custom NAME,…`
    : `did you mean ${meant}?`;
}

function named(text: string): string {
  return canonicalType(text.trim().toLowerCase());
}
