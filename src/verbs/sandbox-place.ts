import type { RigSpec } from "../kinds/rig/rig.schema.ts";
import type { RoleSpec } from "../kinds/role/role.schema.ts";
import type { Repository, WorktreeStatus } from "../ports/git.ts";
import type { LoopPorts } from "../ports/loop-ports.ts";
import type { TownObject } from "../resource/object-meta.ts";
import type { AddressedAgent } from "../work/agent-address.ts";
import { AGENT, agentRecord } from "../work/agent-record.ts";
import { metaText } from "../work/record-fields.ts";
import { targetHead } from "../work/rig-target.ts";

/** An agent's worktree as git shows it now. */
export interface SandboxPlace {
  readonly path: string;
  readonly repository: Repository;
  readonly status: WorktreeStatus;
}

/** Where an agent works, there or not. */
export function sandboxPath(
  agent: Pick<AddressedAgent, "namespace" | "name" | "graph">,
  ports: Pick<LoopPorts, "objects" | "layout">,
): string {
  const record = agentRecord(agent.graph, agent.name);
  const roleName = (record === undefined ? undefined : metaText(record, AGENT.role)) ?? "";
  const role = ports.objects.get({ kind: "Role", name: roleName }) as TownObject<RoleSpec> | undefined;
  return ports.layout.sandbox(agent.namespace, role?.spec.plural ?? `${roleName}s`, agent.name);
}

/** Undefined while the agent has no worktree. */
export async function sandboxPlace(
  agent: Pick<AddressedAgent, "namespace" | "name" | "graph">,
  ports: LoopPorts,
): Promise<SandboxPlace | undefined> {
  const path = sandboxPath(agent, ports);
  if ((await ports.files.stat(`${path}/.git`)) === undefined) return undefined;
  const home = agent.namespace === "hq" ? ports.layout.root : ports.layout.clone(agent.namespace);
  const repository = await ports.git.open(home);
  if (repository === undefined) return undefined;
  return { path, repository, status: await repository.worktreeStatus(path) };
}

/** Commit the target branch of a namespace is at; undefined: there is none yet. */
export async function targetOf(
  namespace: string,
  repository: Repository,
  ports: Pick<LoopPorts, "objects">,
): Promise<string | undefined> {
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const branch = rig?.spec.branch ?? (await repository.defaultBranch());
  if (branch === undefined) return undefined;
  return rig === undefined ? repository.resolve(`refs/heads/${branch}`) : targetHead(repository, rig.spec, branch);
}

/** The first five names and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
