import { TownError } from "../../errors/town-error.ts";
import type { Repository } from "../../ports/git.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { WorkGraph } from "../../ports/work-graph.ts";
import { durationMs } from "../../resource/field.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import { targetHead } from "../../work/rig-target.ts";
import { resolveEnvironment } from "../../work/session-environment.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { PluginObject } from "./plugin.observe.ts";
import { noteRun, type PluginRun, RUNNER, type RunResult, tokenHolder } from "../../work/plugin-run.ts";

const AUTHOR = { actor: RUNNER };
const CONDITION_TIMEOUT_MS = 30_000;
const SUMMARY_BYTES = 4_096;

interface Place {
  readonly namespace: string;
  readonly graph: WorkGraph;
  readonly run: PluginRun;
}

/**
 * Runs a plugin's program to its end: about a rig in a worktree of its own at the target branch, about the town in the
 * town's repository. It inherits no environment; its output goes to a log. The process is recorded while it runs, so a
 * controller that starts later ends it before it goes on.
 */
export async function runProgram(
  object: PluginObject,
  at: Place,
  ports: LoopPorts,
  signal: AbortSignal | undefined,
): Promise<{ readonly result: RunResult; readonly message: string }> {
  const log = `${ports.layout.state}/log/plugins/${at.namespace}/${object.metadata.name}.log`;
  const { graph, run } = at;
  await graph.transact(AUTHOR, (tx) => noteRun(tx, run.id, { startedMs: tx.now, log }));
  try {
    return await within(object, at, ports, async (cwd) => {
      const env = await environmentFor(object, at, ports);
      await ports.files.makeDirectory(log.slice(0, log.lastIndexOf("/")));
      await ports.files.remove(log);
      const [program = "", ...args] = object.spec.run.exec ?? [];
      const ended = await ports.processes.run(program, args, {
        cwd,
        env,
        timeoutMs: durationMs(object.spec.timeout),
        logPath: log,
        ...(signal === undefined ? {} : { signal }),
        started: async (process) => {
          await graph.transact(AUTHOR, (tx) => noteRun(tx, run.id, { process }));
        },
      });
      if (ended.aborted) return { result: "Interrupted", message: "it was called off" };
      if (ended.timedOut)
        return { result: "TimedOut", message: `it did not end within ${object.spec.timeout}; ${log}` };
      if (ended.exitCode === 0) return { result: "Succeeded", message: (await lastLine(log, ports)) ?? "exit code 0" };
      const how = `exit code ${ended.exitCode ?? ended.signal ?? "unknown"}`;
      return { result: "Failed", message: `${how}: ${(await lastLine(log, ports)) ?? "no output"}; ${log}` };
    });
  } catch (error) {
    if (!(error instanceof TownError)) throw error;
    return { result: "Failed", message: error.message };
  }
}

/** Whether the gate's command exits with 0 now. */
export async function passesCondition(
  object: PluginObject,
  namespace: string,
  ports: LoopPorts,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ended = await ports.processes.run("/bin/sh", ["-c", object.spec.gate.condition ?? "false"], {
    cwd: ports.layout.root,
    env: await baseEnvironment(object, namespace, ports),
    timeoutMs: CONDITION_TIMEOUT_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  return ended.exitCode === 0;
}

async function baseEnvironment(
  object: PluginObject,
  namespace: string,
  ports: LoopPorts,
): Promise<Record<string, string>> {
  const home = `${ports.layout.state}/plugin-home`;
  await ports.files.makeDirectory(home);
  return {
    PATH: ports.sessionPath,
    HOME: home,
    LANG: "C.UTF-8",
    TOWN_DIR: ports.layout.root,
    TOWN_PLUGIN: object.metadata.name,
    ...(namespace === "hq" ? {} : { TOWN_RIG: namespace }),
    ...(await resolveEnvironment([object.spec.env], ports)),
  };
}

/** With a token of its own where it may do something through the API. */
async function environmentFor(object: PluginObject, at: Place, ports: LoopPorts): Promise<Record<string, string>> {
  const base = { ...(await baseEnvironment(object, at.namespace, ports)), TOWN_RUN: at.run.id };
  if (object.spec.permissions.length === 0) return base;
  const holder = tokenHolder(object.metadata.name);
  await ports.tokens.issue({
    namespace: at.namespace,
    agent: holder,
    identity: `${at.namespace}/plugins/${object.metadata.name}`,
    generation: at.run.fact.attempt,
    permissions: object.spec.permissions,
  });
  return {
    ...base,
    TOWN_SOCKET: ports.layout.socket,
    TOWN_TOKEN_FILE: ports.layout.sessionToken(at.namespace, holder),
    TOWN_AGENT: `${at.namespace}/plugins/${object.metadata.name}`,
  };
}

/** Runs `work` in the directory of the run, and tidies up behind it. */
async function within<T>(
  object: PluginObject,
  { namespace }: Place,
  ports: LoopPorts,
  work: (cwd: string) => Promise<T>,
): Promise<T> {
  try {
    return namespace === "hq" ? await work(ports.layout.root) : await inWorktree(object, namespace, ports, work);
  } finally {
    if (object.spec.permissions.length > 0) await ports.tokens.revoke(namespace, tokenHolder(object.metadata.name));
  }
}

async function inWorktree<T>(
  object: PluginObject,
  rig: string,
  ports: LoopPorts,
  work: (cwd: string) => Promise<T>,
): Promise<T> {
  const clone = await ports.git.open(ports.layout.clone(rig));
  const commit = clone === undefined ? undefined : await headOf(rig, clone, ports);
  if (clone === undefined || commit === undefined)
    throw new TownError("RigNotReady", `Rig ${rig} has no commit on its target branch yet`);
  const path = `${ports.layout.plugins(rig)}/${object.metadata.name}`;
  await clone.addWorktree({ path, commit });
  try {
    await clone.resetWorktree(path, commit);
    return await work(path);
  } finally {
    await clone.removeWorktree(path);
  }
}

async function headOf(rig: string, clone: Repository, ports: LoopPorts): Promise<string | undefined> {
  const object = ports.objects.get({ kind: "Rig", name: rig }) as TownObject<RigSpec> | undefined;
  const branch = object?.spec.branch ?? (await clone.defaultBranch());
  return object === undefined || branch === undefined ? undefined : targetHead(clone, object.spec, branch);
}

/** The last line that a program wrote which says something. */
async function lastLine(log: string, ports: LoopPorts): Promise<string | undefined> {
  const size = (await ports.files.stat(log))?.size ?? 0;
  const bytes = await ports.files.readFrom(log, Math.max(0, size - SUMMARY_BYTES));
  const lines = bytes === undefined ? [] : new TextDecoder().decode(bytes).split("\n");
  return lines
    .map((line) => line.trim())
    .findLast((line) => line !== "")
    ?.slice(0, 200);
}
