import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { LEASE_MS } from "../../work/hooking.ts";
import { beadFile } from "../../work/bead-file.ts";
import { recordVanished } from "../../work/joined.ts";
import { holdProvider } from "../../work/provider-hold.ts";
import { takeBack } from "../../work/returned.ts";
import type { RoleSpec } from "../role/role.schema.ts";
import { type AgentObject, agentSessionName, rolePlural, sandboxBranch } from "./agent.observe.ts";
import type { AgentAction } from "./agent.plan.ts";
import { ensureSandbox, removeSandbox } from "./agent-sandbox.ts";
import { startSession } from "./agent-start.ts";
import { startSetUp } from "./sandbox-setup.ts";

const AUTHOR = { actor: "loop/workers" };
const GRACE_MS = 3_000;

export async function executeAgent(action: AgentAction, object: AgentObject, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const role = ports.objects.get({ kind: "Role", name: object.spec.role }) as TownObject<RoleSpec> | undefined;
  const path = ports.layout.sandbox(namespace, rolePlural(role, object.spec.role), object.metadata.name);
  const runtimeName = agentSessionName(namespace, object.spec, object.metadata.name);
  switch (action.do) {
    case "EnsureSandbox":
      return ensureSandbox(
        object,
        { path, branch: sandboxBranch(role?.spec, namespace, object.metadata.name, action.bead) },
        action.bead,
        ports,
      );
    case "SetUp":
      return startSetUp(
        { namespace, agent: object.metadata.name, about: { kind: "Agent", namespace, name: object.metadata.name } },
        path,
        sandboxBranch(role?.spec, namespace, object.metadata.name, action.bead),
        ports,
      );
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
      await writeBeadFile(namespace, object.metadata.name, action, ports);
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
    case "HoldProvider":
      return holdItsProvider(action, object, ports);
    case "TakeBack":
      return takeBackWork(object, ports);
    case "Unjoin":
      return unjoin(action, object, ports);
    default:
      return action satisfies never;
  }
}

async function holdItsProvider(
  { untilMs, message }: Extract<AgentAction, { readonly do: "HoldProvider" }>,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const pool = ports.objects.get({ kind: "AgentPool", namespace, name: object.spec.pool });
  const provider = (pool?.spec as { readonly provider?: string } | undefined)?.provider;
  if (provider === undefined) return;
  await holdProvider(ports, provider, { reason: "RateLimited", agent: object.spec.identity, untilMs, message });
}

async function takeBackWork(object: AgentObject, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const { name } = object.metadata;
  const bead = await ports.graphs.graph(namespace)?.transact(AUTHOR, (tx) => takeBack(tx, object.spec.identity)?.id);
  if (bead === undefined) return;
  ports.events.record(
    { kind: "Agent", namespace, name },
    { type: "Normal", reason: "WorkHooked", message: `${bead}, which was sent back, is on its hook again` },
  );
}

/** Takes note that a program which joined is gone; its worktree is removed afterwards as any other, with all in it kept. */
async function unjoin(
  { generation, reason }: Extract<AgentAction, { readonly do: "Unjoin" }>,
  object: AgentObject,
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const { name } = object.metadata;
  const bead = await ports.graphs
    .graph(namespace)
    ?.transact(AUTHOR, (tx) => recordVanished(tx, name, { generation, reason })?.id);
  await ports.tokens.revoke(namespace, name);
  const taken = bead === undefined ? "" : `; ${bead} is free again`;
  ports.events.record(
    { kind: "Agent", namespace, name },
    { type: "Warning", reason: "Vanished", message: `generation ${generation}: ${reason}${taken}` },
  );
}

async function writeBeadFile(
  namespace: string,
  name: string,
  { bead, exists }: { readonly bead: string | undefined; readonly exists: boolean },
  ports: LoopPorts,
): Promise<void> {
  const path = beadFile(ports.layout, namespace, name);
  if (!exists) return ports.files.remove(path);
  await ports.files.makeDirectory(path.slice(0, path.lastIndexOf("/")), { mode: 0o700 });
  await ports.files.writeAtomic(path, bead ?? "", { mode: 0o600 });
}
