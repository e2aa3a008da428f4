import { WaitingError } from "../../errors/town-error.ts";
import { durationMs } from "../../resource/field.ts";
import { MERGE } from "../../work/submission.ts";
import type { GateResult } from "./merges.observe.ts";
import type { MergePlace } from "./merge-place.ts";
import type { MergesAction } from "./merges.plan.ts";

const AUTHOR = { actor: "loop/merges" };

/**
 * Runs one gate on the exact tree in the rig's own worktree, with a scrubbed environment, and records the verdict for
 * that tree. The process is recorded while it runs, so a controller that starts later ends it before it tries again.
 */
export async function runGate(
  action: Extract<MergesAction, { do: "RunGate" }>,
  at: MergePlace,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { ports, graph, clone, rig } = at;
  const path = ports.layout.refinery(rig);
  const log = ports.layout.gateLog(rig, action.request, action.gate.name);
  await clone.addWorktree({ path, commit: action.commit });
  await clone.resetWorktree(path, action.commit);
  await ports.files.makeDirectory(log.slice(0, log.lastIndexOf("/")));
  await ports.files.remove(log);
  const home = `${ports.layout.state}/gate-home`;
  await ports.files.makeDirectory(home);
  const env = { PATH: ports.sessionPath, HOME: home, LANG: "C.UTF-8", CI: "true", TOWN_GATE: action.gate.name };
  const setup = at.object.spec.setup;
  const script =
    setup?.command === undefined ? action.gate.command : `{ ${setup.command}\n} && { ${action.gate.command}\n}`;
  const result = await ports.processes.run("/bin/sh", ["-c", script], {
    cwd: path,
    env,
    timeoutMs: durationMs(action.gate.timeout),
    logPath: log,
    ...(signal === undefined ? {} : { signal }),
    started: async (identity) => {
      await graph.transact(AUTHOR, (tx) =>
        tx.setMetadata(action.request, { [MERGE.running]: { ...identity, gate: action.gate.name }, [MERGE.log]: log }),
      );
    },
  });
  if (result.aborted) {
    await graph.transact(AUTHOR, (tx) => tx.setMetadata(action.request, { [MERGE.running]: null }));
    throw new WaitingError("GateCalledOff", `gate ${action.gate.name} of ${action.request} was called off`, 1_000);
  }
  const passed = result.exitCode === 0;
  const summary = passed
    ? "passed"
    : result.timedOut
      ? `did not end within ${action.gate.timeout}`
      : `exit code ${result.exitCode ?? result.signal ?? "unknown"}`;
  await graph.transact(AUTHOR, (tx) => {
    const record = tx.get(action.request);
    const gates = (record?.metadata?.[MERGE.gates] ?? {}) as Readonly<Record<string, GateResult>>;
    tx.setMetadata(action.request, {
      [MERGE.running]: null,
      [MERGE.gates]: { ...gates, [action.gate.name]: { tree: action.tree, passed, log, summary } satisfies GateResult },
    });
  });
  ports.events.record(
    { kind: "MergeRequest", namespace: rig, name: action.request },
    {
      type: passed ? "Normal" : "Warning",
      reason: passed ? "GatePassed" : "GateFailed",
      message: `${action.gate.name}: ${summary}`,
    },
  );
}
