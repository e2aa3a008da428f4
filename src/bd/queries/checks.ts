import type { BeadRecord } from "../../domain/work-graph/bead.ts";
import { cyclesOf, expiredClaims } from "../../domain/work-graph/queries/attention.ts";
import { blockingTypes, edgesOf, knownEdgeTypes, parentIdsOf } from "../../domain/work-graph/record/edges.ts";
import type { StatusBook } from "../../domain/work-graph/record/statuses.ts";
import type { WorkGraph, WorkGraphs } from "../../ports/work-graph.ts";
import type { ObjectState } from "../context.ts";
import { nearest } from "../grammar/suggestion.ts";
import { counted } from "../output/counted.ts";

/** One thing that `doctor` looks at. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warning" | "error";
  readonly message: string;
  /** What was found, one line each. */
  readonly detail: readonly string[];
  /** What to do about it. */
  readonly fix?: string;
}

export interface CheckInput {
  readonly graph: WorkGraph;
  readonly graphs: WorkGraphs;
  readonly statuses: StatusBook;
  readonly now: number;
  readonly setAside: readonly string[];
  readonly objects: ObjectState;
}

const checks: readonly ((input: CheckInput) => Check)[] = [
  checkObjects,
  checkLeftBehind,
  checkSetAside,
  checkCycles,
  checkDangling,
  checkEdgeTypes,
  checkParents,
  checkStatuses,
  checkBlockedStatus,
  checkClaims,
  checkUnassigned,
];

/** Everything about the records of a store that a person should look at. */
export function runChecks(input: CheckInput): readonly Check[] {
  return checks.map((check) => check(input));
}

function check(name: string, fine: string, found: readonly string[], bad: Omit<Check, "name" | "detail">): Check {
  return found.length === 0 ? { name, status: "ok", message: fine, detail: [] } : { name, ...bad, detail: found };
}

function checkObjects({ objects: { lost, isHealed } }: CheckInput): Check {
  return check("Objects", "git has everything the branch needs", lost, {
    status: isHealed ? "warning" : "error",
    message: isHealed
      ? `git had lost ${counted(lost.length, "object")} of the branch; ${lost.length === 1 ? "it was" : "they were"} made again`
      : `git has lost ${counted(lost.length, "object")} of the branch`,
    fix: isHealed
      ? "look for what takes them: the disk (git fsck), or a `git prune` that ran meanwhile"
      : "the next command that writes makes them again from cache and log, e.g. bd comment ID TEXT; then look again",
  });
}

function checkLeftBehind({ objects: { leftBehind } }: CheckInput): Check {
  return check("Left behind", "nothing of the store is outside of its branch", leftBehind, {
    status: "warning",
    message: `commits of the store that no branch leads to, with later beads: ${leftBehind.length}`,
    fix: "git update-ref refs/heads/town/work COMMIT: the next command takes it in, and nothing of what is here goes",
  });
}

function checkSetAside({ setAside }: CheckInput): Check {
  return check("Readable", "everything on disk could be read", setAside, {
    status: "error",
    message: `${counted(setAside.length, "record")} could not be read and ${setAside.length === 1 ? "was" : "were"} set aside`,
    fix: "correct them by hand and import them: the files are below town/set-aside in the git directory",
  });
}

function checkCycles({ graph }: CheckInput): Check {
  const cycles = cyclesOf(graph).map((ids) => [...ids, ids[0]].join(" → "));
  return check("Dependency cycles", "no circles", cycles, {
    status: "error",
    message: `circles of beads that wait for each other: ${cycles.length}`,
    fix: "bd dep remove ID DEPENDS-ON-ID",
  });
}

function checkDangling({ graph, graphs }: CheckInput): Check {
  const dangling = graph.list().flatMap((record) =>
    edgesOf(record)
      .filter(({ depends_on_id: id }) => !id.startsWith("external:") && graph.get(id) === undefined)
      // A prefix nobody here has belongs to somebody else's store.
      .filter(({ depends_on_id: id }) => graphs.graphOf(id)?.get(id) === undefined)
      .map(({ depends_on_id: id, type }) => `${record.id} → ${id} (${type})`),
  );
  return check("References", "every dependency leads to a bead", dangling, {
    status: "warning",
    message: `dependencies on beads that are not here, which hold nothing back: ${dangling.length}`,
    fix: "bd dep remove ID DEPENDS-ON-ID, or import the missing beads",
  });
}

function checkEdgeTypes({ graph }: CheckInput): Check {
  const odd = graph.list().flatMap((record) =>
    edgesOf(record)
      .filter(({ type }) => !knownEdgeTypes.includes(type))
      .flatMap(({ depends_on_id: id, type }) => {
        const meant = nearest(type.replaceAll("_", "-"), knownEdgeTypes);
        return meant === undefined ? [] : [`${record.id} → ${id}: "${type}", probably ${meant}`];
      }),
  );
  return check("Dependency types", "no type looks misspelt", odd, {
    status: "warning",
    message: `${counted(odd.length, "dependency", "dependencies")} with a type that has no effect and looks misspelt`,
    fix: "bd dep remove ID OTHER, then bd dep add ID OTHER -t TYPE",
  });
}

function checkParents({ graph }: CheckInput): Check {
  const orphans = graph
    .list()
    .filter((record) => parentIdsOf(record).length === 0)
    .map((record) => ({ id: record.id, parent: /^(.+)\.\d+$/.exec(record.id)?.[1] }))
    .filter(({ parent }) => parent !== undefined && graph.get(parent) !== undefined)
    .map(({ id, parent }) => `${id} looks like a child of ${parent}`);
  return check("Children", "every child has its parent", orphans, {
    status: "warning",
    message: `named as children, and have no parent: ${orphans.length}`,
    fix: "bd update ID --parent PARENT",
  });
}

function checkStatuses({ graph, statuses }: CheckInput): Check {
  const odd = graph.list().filter(({ status }) => statuses.categoryOf(status) === undefined);
  return check("Statuses", "every status is known", odd.map(described), {
    status: "warning",
    message: `a status nobody declared, so never ready: ${odd.length}`,
    fix: "bd update ID -s STATUS, or bd config set status.custom NAME:CATEGORY",
  });
}

function described(record: BeadRecord): string {
  return `${record.id}: ${record.status}`;
}

function checkBlockedStatus({ graph }: CheckInput): Check {
  const stuck = graph
    .list({ status: ["blocked"] })
    .filter((record) => edgesOf(record).some(({ type }) => blockingTypes.has(type)))
    .filter(({ id }) => graph.blockersOf(id).length === 0);
  return check(
    "Blocked by hand",
    "nobody is stuck",
    stuck.map(({ id }) => `${id}: all it waited for is closed`),
    {
      status: "warning",
      message: `status blocked although nothing blocks them: ${stuck.length}`,
      fix: "bd update ID -s open",
    },
  );
}

function checkClaims({ graph, now }: CheckInput): Check {
  const expired = expiredClaims(graph, now);
  return check(
    "Claims",
    "no claim has run out",
    expired.map(({ id, assignee }) => `${id}: ${assignee}`),
    {
      status: "warning",
      message: `claims that have run out: ${expired.length}`,
      fix: "bd reclaim --dry-run",
    },
  );
}

function checkUnassigned({ graph }: CheckInput): Check {
  const loose = graph.list({ status: ["in_progress", "hooked"] }).filter(({ assignee }) => (assignee ?? "") === "");
  return check("In progress", "everything in progress has somebody", loose.map(described), {
    status: "warning",
    message: `in progress with nobody on them: ${loose.length}`,
    fix: "bd update ID -s open sets it free, bd update ID -a NAME says who works on it",
  });
}
