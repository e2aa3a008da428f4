import type { LoopPorts } from "../../ports/loop-ports.ts";
import { WaitingError } from "../../errors/town-error.ts";
import { declareAgent } from "../../work/agent-record.ts";
import { hookBead } from "../../work/hooking.ts";
import { slingOf } from "../../work/sling.ts";
import type { AgentPoolObject } from "./agent-pool.observe.ts";
import type { AgentPoolAction } from "./agent-pool.plan.ts";

const AUTHOR = { actor: "loop/workers" };

export async function executeAgentPool(
  action: AgentPoolAction,
  object: AgentPoolObject,
  ports: LoopPorts,
): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const graph = ports.graphs.graph(namespace);
  if (graph === undefined) throw new WaitingError("RigNotReady", `the work graph of ${namespace} is not open`, 1_000);
  const agent = { name: action.name, identity: action.identity, role: object.spec.role, pool: object.metadata.name };
  switch (action.do) {
    case "DeclareAgent":
      await graph.transact(AUTHOR, (tx) => declareAgent(tx, graph.prefix, { ...agent, desired: action.desired }));
      return;
    case "Hook": {
      const role = ports.objects.get({ kind: "Role", name: object.spec.role });
      const sling = slingOf(graph.get(action.bead));
      const formulaName =
        sling?.formula ?? object.spec.formula ?? (role?.spec as { formula?: string } | undefined)?.formula;
      const formula = formulaName === undefined ? undefined : ports.formulas.get(formulaName);
      const hooked = await graph.transact(AUTHOR, (tx) =>
        hookBead(tx, {
          bead: action.bead,
          agent: { ...agent, desired: "OnWork" },
          prefix: graph.prefix,
          formula,
          values: sling?.values,
        }),
      );
      if (hooked !== undefined)
        ports.events.record(
          { kind: "AgentPool", namespace, name: object.metadata.name },
          { type: "Normal", reason: "WorkHooked", message: `${action.bead} hooked to ${action.identity}` },
        );
      return;
    }
    default:
      return action satisfies never;
  }
}
