import { keyText } from "../resource/object-meta.ts";
import type { ObjectKey } from "../resource/object-meta.ts";
import { isRevision } from "./commit-range.ts";
import type { InventoryEntry } from "./inventory.ts";
import type { LoadedObject } from "./load-file.ts";
import type { LoadedSource } from "./load-source.ts";
import { PRUNE_ANNOTATION } from "./metadata.ts";
import { sameStatement } from "./object-diff.ts";
import { placeText } from "./problem.ts";
import type { Problem } from "./problem.ts";

export interface SyncInput {
  /** Revision that `loaded` was read at. */
  readonly revision: string;
  readonly loaded: LoadedSource;
  /** What was applied from this source before, by `keyText`. */
  readonly inventory: ReadonlyMap<string, InventoryEntry>;
  /** Keys (`keyText`) whose deletion was asked for through the API: they are not subject to the guards. */
  readonly deleting?: ReadonlySet<string>;
  /** Revision, as `isRevision` reads it, at which a person allowed the prune. */
  readonly allowPrune?: string;
  /** False: objects whose document goes stay. Default true. */
  readonly prune?: boolean;
  /** The source itself is removed: that it declares nothing is meant, the other guards hold. Default false. */
  readonly removing?: boolean;
  /** What `town reconcile` is given to allow a prune here: `source shared`. Default: nothing, for the town itself. */
  readonly target?: string;
  /** Who else has an object: the name of another source, or "the work graph". Its name is refused here. */
  readonly takenBy?: (key: ObjectKey) => string | undefined;
}

/** Why an object without a readable document stays. */
export interface Kept {
  readonly entry: InventoryEntry;
  readonly reason: "Unreadable" | "PruneDisabled" | "SourceEmpty" | "PruneHeld";
  readonly message: string;
}

/** What to do to make the API what a source says. The lists are in the order in which to work through them. */
export interface SyncPlan {
  readonly creates: readonly LoadedObject[];
  readonly updates: readonly { readonly object: LoadedObject; readonly entry: InventoryEntry }[];
  /** Nothing to do, or only the file is another one (`entry.path`): declared again after a restart. */
  readonly unchanged: readonly { readonly object: LoadedObject; readonly entry: InventoryEntry }[];
  /** Declared again while the former object of the name is still terminating: created once that is gone. */
  readonly waiting: readonly { readonly object: LoadedObject; readonly entry: InventoryEntry }[];
  readonly prunes: readonly InventoryEntry[];
  /** Being deleted since an earlier sync. */
  readonly terminating: readonly InventoryEntry[];
  readonly kept: readonly Kept[];
  /** Problems that only the rest of the town shows: names taken by another truth. */
  readonly problems: readonly Problem[];
  /** Set when prunes wait for `town reconcile --allow-prune`. */
  readonly held:
    | { readonly reason: "PruneHeld" | "SourceEmpty"; readonly message: string; readonly hint: string }
    | undefined;
}

/** A sync that prunes more than this many objects and more than this share of a source waits for a person. */
const PRUNE_COUNT = 5;
const PRUNE_SHARE = 0.3;
/** Kinds of which not a single object is pruned unasked: their namespace goes with them. */
const GUARDED_KINDS: ReadonlySet<string> = new Set(["Rig"]);

/** Compares what a source declares with what was applied from it. Pure; the same input gives the same plan. */
export function planSync(input: SyncInput): SyncPlan {
  const { declared, problems } = withoutTaken(input);
  const creates: LoadedObject[] = [];
  const [updates, unchanged, waiting]: { object: LoadedObject; entry: InventoryEntry }[][] = [[], [], []];
  for (const object of declared) {
    const entry = input.inventory.get(keyText(object.key));
    if (entry === undefined) creates.push(object);
    else if (entry.deletionTimestamp !== undefined) waiting?.push({ object, entry });
    else if (sameStatement(entry.document, object.stated)) unchanged?.push({ object, entry });
    else updates?.push({ object, entry });
  }
  const wanted = new Set(declared.map((object) => keyText(object.key)));
  const missing = [...input.inventory].filter(([key]) => !wanted.has(key)).map(([, entry]) => entry);
  const pruning = planPrunes(input, missing);
  return {
    creates: creates.sort(ownersFirst),
    updates: (updates ?? []).sort((a, b) => ownersFirst(a.object, b.object)),
    unchanged: unchanged ?? [],
    waiting: waiting ?? [],
    ...pruning,
    problems,
  };
}

function withoutTaken({ loaded, takenBy }: SyncInput): {
  readonly declared: readonly LoadedObject[];
  readonly problems: readonly Problem[];
} {
  const declared: LoadedObject[] = [];
  const problems: Problem[] = [];
  for (const object of loaded.objects) {
    const other = takenBy?.(object.key);
    if (other === undefined) declared.push(object);
    else {
      const message = `${keyText(object.key)} exists already in ${other}; it is not applied from here`;
      problems.push({
        path: object.origin.path,
        ...object.placeOf(["metadata", "name"]),
        severity: "Error",
        reason: "NameTaken",
        key: object.key,
        message,
        hint: "Choose another name, or remove the other one first.",
      });
    }
  }
  return { declared, problems };
}

function planPrunes(
  input: SyncInput,
  missing: readonly InventoryEntry[],
): Pick<SyncPlan, "prunes" | "terminating" | "kept" | "held"> {
  const terminating = missing.filter((entry) => entry.deletionTimestamp !== undefined);
  const asked = missing.filter(
    (entry) => entry.deletionTimestamp === undefined && input.deleting?.has(keyText(entry.key)),
  );
  const gone = missing.filter(
    (entry) => entry.deletionTimestamp === undefined && !input.deleting?.has(keyText(entry.key)),
  );
  const kept: Kept[] = [];
  const candidates: InventoryEntry[] = [];
  for (const entry of gone) {
    const reason = reasonToKeep(entry, input);
    if (reason === undefined) candidates.push(entry);
    else kept.push(reason);
  }
  const held = guardAgainst(candidates, input);
  if (held !== undefined)
    kept.push(...candidates.map((entry) => ({ entry, reason: held.reason, message: held.message })));
  const prunes = [...asked, ...(held === undefined ? candidates : [])].sort((a, b) => ownersFirst(b, a));
  return { prunes, terminating, kept, held };
}

function reasonToKeep(entry: InventoryEntry, { loaded, inventory, prune }: SyncInput): Kept | undefined {
  const errors = loaded.problems.filter((problem) => problem.severity === "Error");
  const nameless = errors.filter((problem) => problem.key === undefined);
  const cause =
    errors.find((problem) => problem.key !== undefined && keyText(problem.key) === keyText(entry.key)) ??
    nameless.find((problem) => problem.path === entry.path) ??
    nameless.find((problem) => mayHoldAnything(problem, inventory));
  if (cause !== undefined) {
    const message = `${keyText(entry.key)} stays as last applied: ${placeText(cause)}: ${cause.message}`;
    return { entry, reason: "Unreadable", message };
  }
  if (prune === false)
    return {
      entry,
      reason: "PruneDisabled",
      message: `${keyText(entry.key)} stays: spec.prune of its source is false`,
    };
  const annotations = entry.document.metadata["annotations"] as Readonly<Record<string, unknown>> | undefined;
  if (annotations?.[PRUNE_ANNOTATION] !== "disabled") return undefined;
  return {
    entry,
    reason: "PruneDisabled",
    message: `${keyText(entry.key)} stays: its annotation ${PRUNE_ANNOTATION} says disabled`,
  };
}

/** A broken document in a file that is new to the source: whatever is missing may have been moved there. */
function mayHoldAnything(problem: Problem, inventory: SyncInput["inventory"]): boolean {
  if (problem.reason === "KindUnknown" || problem.reason === "KindNotDeclarable") return false;
  return ![...inventory.values()].some((entry) => entry.path === problem.path);
}

function guardAgainst(candidates: readonly InventoryEntry[], input: SyncInput): SyncPlan["held"] {
  if (candidates.length === 0 || isAllowed(input)) return undefined;
  const revision = input.revision.slice(0, 12);
  const target = input.target === undefined ? "" : `${input.target} `;
  const hint = `If that is meant: \`town reconcile ${target}--allow-prune=${revision}\`. Otherwise bring the documents back.`;
  if (input.loaded.objects.length === 0 && input.removing !== true) {
    return {
      reason: "SourceEmpty",
      message: `the source declares nothing at ${revision}; its ${candidates.length} objects stay`,
      hint,
    };
  }
  const guarded = candidates.find((entry) => GUARDED_KINDS.has(entry.key.kind));
  const known = [...input.inventory.values()].filter((entry) => entry.deletionTimestamp === undefined).length;
  const many = candidates.length > PRUNE_COUNT && candidates.length > PRUNE_SHARE * known;
  if (guarded === undefined && !many) return undefined;
  const what =
    guarded === undefined
      ? `${candidates.length} of ${known} objects`
      : `${keyText(guarded.key)}${candidates.length > 1 ? ` and ${candidates.length - 1} more` : ""}`;
  const act = input.removing === true ? "removing the source" : `applying ${revision}`;
  return { reason: "PruneHeld", message: `${act} would remove ${what}`, hint };
}

function isAllowed({ allowPrune, revision }: SyncInput): boolean {
  return isRevision(revision, allowPrune);
}

/** Cluster-scoped objects before those in namespaces, Rigs before all; then by key. */
function ownersFirst(a: { readonly key: ObjectKey }, b: { readonly key: ObjectKey }): number {
  const rank = ({ key }: { readonly key: ObjectKey }): number =>
    key.kind === "Rig" ? 0 : key.namespace === undefined ? 1 : 2;
  const [x, y] = [keyText(a.key), keyText(b.key)];
  return rank(a) - rank(b) || (x < y ? -1 : x > y ? 1 : 0);
}
