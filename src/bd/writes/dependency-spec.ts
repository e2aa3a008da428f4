import { knownEdgeTypes } from "../../domain/work-graph/record/edges.ts";
import { nearest } from "../grammar/suggestion.ts";
import { usageError } from "../grammar/usage-error.ts";

/** A dependency between a bead that is (about to be) and another one. */
export interface DependencySpec {
  readonly other: string;
  readonly type: string;
  /** `Incoming`: the other bead depends on this one. */
  readonly direction: "Outgoing" | "Incoming";
  /** A string that holds JSON. */
  readonly metadata?: string;
}

const aliases: Readonly<Record<string, string>> = {
  "depends-on": "blocks",
  "blocked-by": "blocks",
  parent: "parent-child",
  child: "parent-child",
  "discovered-by": "discovered-from",
  relates: "relates-to",
  duplicate: "duplicates",
  supersede: "supersedes",
};

/**
 * `--deps` of a new bead: `X`, `depends-on:X` and `blocked-by:X` make it wait for X; `blocks:X` makes X wait for it; any
 * other `type:X` is an edge of that type to X. Throws TownError `Usage`.
 */
export function dependencySpec(text: string): DependencySpec {
  if (text.startsWith("external:")) return { other: text, type: "blocks", direction: "Outgoing" };
  const colon = text.indexOf(":");
  if (colon < 0) return { other: text, type: "blocks", direction: "Outgoing" };
  const word = text.slice(0, colon).trim().toLowerCase();
  const other = text.slice(colon + 1).trim();
  if (word === "" || other === "") throw usageError(`invalid dependency "${text}"`, "write ID or TYPE:ID");
  if (word === "blocks") return { other, type: "blocks", direction: "Incoming" };
  if (word === "child") return { other, type: "parent-child", direction: "Incoming" };
  return { other, type: edgeType(word), direction: "Outgoing" };
}

/**
 * A dependency type with aliases resolved. Any text is a type in Beads, but one that is nearly a known type would silently
 * hold nothing back: throws TownError `Usage` for it.
 */
export function edgeType(word: string): string {
  const type = aliases[word] ?? word;
  if (knownEdgeTypes.includes(type)) return type;
  const meant = nearest(type.replaceAll("_", "-"), knownEdgeTypes);
  if (meant === undefined && /^[a-z][a-z0-9_-]{0,49}$/.test(type)) return type;
  throw usageError(
    `invalid dependency type "${word}"`,
    meant === undefined ? `types are ${knownEdgeTypes.join(", ")}` : `did you mean ${meant}?`,
  );
}

/** What to say of a type that nobody knows. */
export function effectNote(type: string): readonly string[] {
  return knownEdgeTypes.includes(type)
    ? []
    : [`Note: edges of type ${type} are kept and have no effect on what is ready.`];
}
