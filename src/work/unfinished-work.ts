import type { Repository } from "../ports/git.ts";
import type { WorkGraph } from "../ports/work-graph.ts";
import { TASK_BRANCHES } from "./agent-record.ts";
import { targetHead, type RigPlace } from "./rig-target.ts";

/** Work of a rig that would be left behind if the rig went now. */
export interface UnfinishedWork {
  /** `api-x1 (api/polecats/toast)` */
  readonly hooked: readonly string[];
  /** Open merge requests. */
  readonly requests: readonly string[];
  /** Task branches with commits that the target does not have. */
  readonly branches: readonly string[];
  /** Commits of the target branch that only Town's clone has. */
  readonly unpushed: number;
}

const SHOWN = 5;

/** Looks at the graph (as far as it is open) and the clone. */
export async function readUnfinishedWork(
  rig: { readonly spec: RigPlace & { readonly branch?: string | undefined } },
  graph: WorkGraph | undefined,
  clone: Repository | undefined,
): Promise<UnfinishedWork> {
  const working = graph?.list({ status: ["hooked", "in_progress"] }) ?? [];
  const hooked = working
    .filter((record) => !["agent", "merge-request"].includes(record.issue_type) && record.assignee !== undefined)
    .map((record) => `${record.id} (${record.assignee ?? ""})`);
  const requests = (graph?.list({ type: ["merge-request"], status: ["open", "in_progress"] }) ?? []).map(
    ({ id }) => id,
  );
  if (clone === undefined) return { hooked, requests, branches: [], unpushed: 0 };
  const branch = rig.spec.branch ?? (await clone.defaultBranch());
  const target = branch === undefined ? undefined : await targetHead(clone, rig.spec, branch);
  const branches: string[] = [];
  for (const [ref, head] of await clone.listRefs(TASK_BRANCHES))
    if (target === undefined || !(await clone.isAncestor(head, target))) branches.push(ref.slice("refs/heads/".length));
  const remote = branch === undefined ? undefined : await clone.resolve(`refs/remotes/origin/${branch}`);
  const unpushed =
    target === undefined || remote === undefined || target === remote
      ? 0
      : (await clone.log(remote, target, 1_000)).length;
  return { hooked, requests, branches, unpushed };
}

/** One line for people; undefined when nothing is unfinished. */
export function unfinishedText(work: UnfinishedWork): string | undefined {
  const parts = [
    listed("on a hook", work.hooked),
    listed("waiting to be merged", work.requests),
    listed("unmerged branches", work.branches),
    work.unpushed === 0 ? undefined : `${work.unpushed} merged commits that were never pushed`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join("; ");
}

function listed(what: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "";
  return `${what}: ${names.slice(0, SHOWN).join(", ")}${more}`;
}
