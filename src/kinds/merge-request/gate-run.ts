import { withOutcome } from "../../domain/merge-queue/queue-record.ts";
import { WaitingError } from "../../errors/town-error.ts";
import type { RunResult } from "../../ports/processes.ts";
import { durationMs } from "../../resource/field.ts";
import { changeQueue, noteRunning } from "../../work/merge-queue.ts";
import { type CommandGate, commandGates, gateOf, gateScript } from "./gate-script.ts";
import type { MergePlace } from "./merge-place.ts";
import type { MergesAction } from "./merges.plan.ts";

const AUTHOR = { actor: "loop/merges" };
type Run = Extract<MergesAction, { do: "RunGate" }>;

/**
 * Runs one gate on the exact tree in the rig's own worktree, with a scrubbed environment, and records the verdict for
 * that tree. The process is recorded while it runs, so a controller that starts later ends it before it tries again.
 */
export async function runGate(action: Run, at: MergePlace, signal: AbortSignal | undefined): Promise<void> {
  const gate = commandGates(at.object.spec).find(({ name }) => name === action.gate);
  if (gate === undefined) return;
  const log = gateLog(at, action.request, gate.name);
  const result = await runScript(action, { gate, log, signal }, at);
  if (result.aborted) {
    await at.graph.transact(AUTHOR, (tx) => noteRunning(tx, null));
    throw new WaitingError("GateCalledOff", `gate ${gate.name} of ${at.rig} was called off`, 1_000);
  }
  const passed = result.exitCode === 0;
  const summary = passed
    ? "passed"
    : result.timedOut
      ? `did not end within ${gate.timeout}`
      : `exit code ${result.exitCode ?? result.signal ?? "unknown"}`;
  const { tree, round } = action;
  const { command } = gateOf(at.object.spec, gate);
  const atMs = at.ports.clock.now();
  await at.graph.transact(AUTHOR, (tx) => {
    noteRunning(tx, null);
    changeQueue(tx, (queue) => withOutcome(queue, { tree, gate: gate.name, command, passed, round, atMs, summary }));
  });
  const { request } = action;
  at.ports.events.record(
    request === undefined ? { kind: "Rig", name: at.rig } : { kind: "MergeRequest", namespace: at.rig, name: request },
    {
      type: passed ? "Normal" : "Warning",
      reason: passed ? "GatePassed" : "GateFailed",
      message: `${gate.name}${request === undefined ? " on the bare target" : ""}: ${summary}`,
    },
  );
}

/** Log of the last run of a gate with this request on top; without one on the bare target. */
export function gateLog({ ports, rig }: MergePlace, request: string | undefined, gate: string): string {
  return ports.layout.gateLog(rig, request ?? "target", gate);
}

async function runScript(
  action: Run,
  how: { readonly gate: CommandGate; readonly log: string; readonly signal: AbortSignal | undefined },
  { ports, graph, clone, rig, object }: MergePlace,
): Promise<RunResult> {
  const { gate, log, signal } = how;
  const path = ports.layout.refinery(rig);
  await clone.addWorktree({ path, commit: action.commit });
  await clone.resetWorktree(path, action.commit);
  await ports.files.makeDirectory(log.slice(0, log.lastIndexOf("/")));
  await ports.files.remove(log);
  const home = `${ports.layout.state}/gate-home`;
  await ports.files.makeDirectory(home);
  return ports.processes.run("/bin/sh", ["-c", gateScript(object.spec, gate)], {
    cwd: path,
    env: { PATH: ports.sessionPath, HOME: home, LANG: "C.UTF-8", CI: "true", TOWN_GATE: gate.name },
    timeoutMs: durationMs(gate.timeout),
    logPath: log,
    ...(signal === undefined ? {} : { signal }),
    started: async (identity) => {
      await graph.transact(AUTHOR, (tx) => noteRunning(tx, { ...identity, gate: gate.name, log }));
    },
  });
}
