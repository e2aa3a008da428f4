import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { nextGeneration } from "../../work/agent-record.ts";
import { noteSession } from "../../work/ledger.ts";
import { LEASE_MS } from "../../work/hooking.ts";
import type { AgentPoolSpec } from "../agent-pool/agent-pool.schema.ts";
import type { ProviderSpec } from "../provider/provider.schema.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { type AgentObject, agentSessionName, rolePlural } from "./agent.observe.ts";
import type { AgentAction } from "./agent.plan.ts";
import { resolveEnvironment, withGitHooks } from "./agent-environment.ts";
import { ensureSandbox, removeSandbox } from "./agent-sandbox.ts";

const AUTHOR = { actor: "loop/workers" };
const GRACE_MS = 3_000;

export async function executeAgent(action: AgentAction, object: AgentObject, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const role = ports.objects.get({ kind: "Role", name: object.spec.role }) as TownObject<RoleSpec> | undefined;
  const path = ports.layout.sandbox(namespace, rolePlural(role, object.spec.role), object.metadata.name);
  const runtimeName = agentSessionName(namespace, object.spec, object.metadata.name);
  switch (action.do) {
    case "EnsureSandbox":
      return ensureSandbox(object, path, action.bead, ports);
    case "Start":
      return startSession(object, { path, runtimeName, bead: action.bead }, ports);
    case "Stop":
      await ports.sessions.stop(runtimeName, action.generation, { graceMs: GRACE_MS });
      await ports.tokens.revoke(namespace, object.metadata.name);
      await ports.view.note(runtimeName, undefined);
      ports.events.record(
        { kind: "Agent", namespace, name: object.metadata.name },
        { type: "Normal", reason: "SessionStopped", message: `generation ${action.generation}: ${action.reason}` },
      );
      return;
    case "RemoveSandbox":
      return removeSandbox(object, path, action.reason, ports);
    case "ShowSandbox":
      await ports.objects.publish(
        { kind: "Sandbox", namespace, name: object.metadata.name },
        action.exists
          ? {
              spec: { agent: object.metadata.name, path },
              status: {
                ...(action.bead === undefined ? {} : { bead: action.bead }),
                ...(action.branch === undefined ? {} : { branch: action.branch.replace("refs/heads/", "") }),
              },
            }
          : undefined,
      );
      return;
    case "RenewLease":
      await ports.graphs.graph(namespace)?.transact(AUTHOR, (tx) => tx.renewLease(action.bead, LEASE_MS));
      return;
    default:
      return action satisfies never;
  }
}

/**
 * Starts the agent's program under a new generation. The generation is raised in the graph first, so a crash in between
 * costs a number and never two live sessions on one hook.
 */
async function startSession(
  object: AgentObject,
  what: { readonly path: string; readonly runtimeName: string; readonly bead: string | undefined },
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const { name } = object.metadata;
  const graph = ports.graphs.graph(namespace);
  const pool = ports.objects.get({ kind: "AgentPool", namespace, name: object.spec.pool }) as
    | TownObject<AgentPoolSpec>
    | undefined;
  const provider =
    pool === undefined
      ? undefined
      : (ports.objects.get({ kind: "Provider", name: pool.spec.provider }) as TownObject<ProviderSpec> | undefined);
  const role = ports.objects.get({ kind: "Role", name: object.spec.role }) as TownObject<RoleSpec> | undefined;
  if (graph === undefined || pool === undefined || provider === undefined || role === undefined)
    throw new WaitingError("NotConfigured", `the pool, role or provider of ${object.spec.identity} is missing`, 2_000);
  const generation = await graph.transact(AUTHOR, (tx) => {
    if (what.bead !== undefined)
      noteSession(tx, what.bead, { provider: provider.metadata.name, model: provider.spec.model });
    return nextGeneration(tx, name, what.bead);
  });
  await ports.tokens.issue({
    namespace,
    agent: name,
    identity: object.spec.identity,
    generation,
    permissions: role.spec.permissions,
  });
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const owner =
    (what.bead === undefined ? undefined : graph.get(what.bead)?.owner) ?? town?.spec.owner ?? "overseer@town.invalid";
  const session = await ports.sessions.start({
    name: what.runtimeName,
    namespace,
    agent: name,
    role: object.spec.role,
    generation,
    ...(what.bead === undefined ? {} : { bead: what.bead }),
    cwd: what.path,
    argv: commandOf(provider.spec, ports.shellAgent),
    env: {
      ...withGitHooks(
        await resolveEnvironment([town?.spec.env, rig?.spec.env, provider.spec.env, pool.spec.env], ports),
        ports.gitHooks,
      ),
      PATH: ports.sessionPath,
      TOWN_SOCKET: ports.layout.socket,
      TOWN_TOKEN_FILE: ports.layout.sessionToken(namespace, name),
      TOWN_AGENT: object.spec.identity,
      TOWN_NAMESPACE: namespace,
      TOWN_GENERATION: String(generation),
      GIT_AUTHOR_NAME: object.spec.identity,
      GIT_AUTHOR_EMAIL: owner,
      GIT_COMMITTER_NAME: owner.split("@")[0] ?? owner,
      GIT_COMMITTER_EMAIL: owner,
    },
  });
  await ports.view.note(what.runtimeName, session);
  ports.events.record(
    { kind: "Agent", namespace, name },
    {
      type: "Normal",
      reason: "SessionStarted",
      message: `generation ${generation}${what.bead === undefined ? "" : ` on ${what.bead}`}`,
    },
  );
}

/** `{shellAgent}` in a provider's command stands for the shipped program. */
function commandOf(provider: ProviderSpec, shellAgent: readonly string[]): readonly string[] {
  return [
    ...provider.command.flatMap((word) => (word === "{shellAgent}" ? shellAgent : [word])),
    ...provider.autonomyArgs,
  ];
}
