import { WaitingError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { hookBead } from "../../work/hooking.ts";
import { markSlung } from "../../work/sling.ts";
import { passesCondition, runProgram } from "./exec-run.ts";
import type { PluginObject } from "./plugin.observe.ts";
import type { PluginAction } from "./plugin.plan.ts";
import { endRun, noteRun, requestRun, RUNNER, type RunResult, tokenHolder } from "../../work/plugin-run.ts";

const AUTHOR = { actor: RUNNER };
const GRACE_MS = 2_000;

export async function executePlugin(
  action: PluginAction,
  object: PluginObject,
  ports: LoopPorts,
  signal?: AbortSignal,
): Promise<void> {
  const { namespace } = action;
  const graph = ports.graphs.graph(namespace);
  if (graph === undefined) throw new WaitingError("RigNotReady", `the work graph of ${namespace} is not open`, 1_000);
  switch (action.do) {
    case "Begin":
      await graph.transact(AUTHOR, (tx) => requestRun(tx, object, action.due));
      return;
    case "Check":
      if (await passesCondition(object, namespace, ports, signal)) {
        const now = ports.clock.now();
        const why = `\`${object.spec.gate.condition ?? ""}\` exits with 0`;
        const slot = `condition-${new Date(now).toISOString()}`;
        await graph.transact(AUTHOR, (tx) => requestRun(tx, object, { slot, dueMs: now, why }));
      }
      return;
    case "Execute": {
      const end = await runProgram(object, { namespace, graph, run: action.run }, ports, signal);
      return finish(object, graph, action.run.id, end, ports);
    }
    case "Interrupt": {
      const { process } = action.run.fact;
      if (process !== undefined && (await ports.processes.probe(process)) !== "Dead")
        await ports.processes.terminate(process, GRACE_MS);
      if (object.spec.permissions.length > 0) await ports.tokens.revoke(namespace, tokenHolder(object.metadata.name));
      const message = "the controller that ran it ended";
      return finish(object, graph, action.run.id, { result: "Interrupted", message }, ports);
    }
    case "Sling":
      await graph.transact(AUTHOR, (tx) => {
        if (tx.get(action.run)?.status !== "open") return;
        const { formula } = object.spec.run;
        markSlung(tx, action.run, { pool: action.pool, ...(formula === undefined ? {} : { formula }) });
        noteRun(tx, action.run, { startedMs: tx.now });
      });
      return;
    case "Hook": {
      const { formula: name } = object.spec.run;
      const formula = name === undefined ? undefined : ports.formulas.get(name);
      await graph.transact(AUTHOR, (tx) => {
        const hooked = hookBead(tx, { bead: action.run, agent: action.agent, prefix: graph.prefix, formula });
        if (hooked !== undefined) noteRun(tx, action.run, { startedMs: tx.now });
      });
      return;
    }
    case "End": {
      const message =
        action.why === "Removed" ? "the plugin was removed" : `it did not end within ${object.spec.timeout}`;
      const result = action.why === "Removed" ? "Interrupted" : "TimedOut";
      return finish(object, graph, action.run.id, { result, message }, ports);
    }
    default:
      return action satisfies never;
  }
}

async function finish(
  object: PluginObject,
  graph: WorkGraph,
  run: string,
  end: { readonly result: RunResult; readonly message: string },
  ports: LoopPorts,
): Promise<void> {
  await graph.transact(AUTHOR, (tx) => endRun(tx, run, end));
  const isGood = end.result === "Succeeded";
  ports.events.record(
    { kind: "Plugin", namespace: object.metadata.namespace ?? "hq", name: object.metadata.name },
    {
      type: isGood ? "Normal" : "Warning",
      reason: isGood ? "PluginRan" : `Plugin${end.result}`,
      message: `${graph.namespace}: ${end.message}`,
    },
  );
}
