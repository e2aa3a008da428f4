import { messageOf, TownError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { ProcessIdentity, RunResult } from "../../ports/processes.ts";
import { durationMs } from "../../resource/field.ts";
import type { ObjectKey, TownObject } from "../../resource/object-meta.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { resolveEnvironment } from "../../work/session-environment.ts";

/** Whose set-up it is. */
export interface SetUpPlace {
  readonly namespace: string;
  /** Name of the agent, or of a sandbox in reserve, which is none of an agent. */
  readonly agent: string;
  /** Object that events are about. */
  readonly about: ObjectKey;
}

/** How far the set-up of a sandbox is. */
export type SetUpState =
  /** The rig asks for none, or it was done for this branch. */
  | { readonly state: "Done" }
  /** `again`: it failed before, and it is time to try once more. */
  | { readonly state: "Needed"; readonly again: boolean }
  | { readonly state: "Running"; readonly log: string }
  | { readonly state: "Failed"; readonly message: string; readonly retryMs: number };

/**
 * What is recorded of a set-up, outside the worktree so that no commit can hold it. Written by the agent's loop alone;
 * the run itself, which ends when it ends, writes only to a file of its own.
 */
interface SetUpRecord {
  readonly version: 1;
  readonly run: string;
  readonly branch: string;
  readonly command: string;
  /** The controller that waits for the run. */
  readonly controller: ProcessIdentity;
  /** Runs for this branch that failed before. */
  readonly failures: number;
}

interface RunRecord {
  readonly state: "Running" | "Done" | "Failed";
  readonly process?: ProcessIdentity;
  readonly message?: string;
  readonly endedMs?: number;
}

const RETRY_BASE_MS = 10_000;
const RETRY_MAX_MS = 300_000;

function recordPath(namespace: string, agent: string, ports: Pick<LoopPorts, "layout">): string {
  return `${ports.layout.state}/sandboxes/${namespace}/${agent}.json`;
}

function runPrefix(agent: string): string {
  return `${agent}.setup-`;
}

function runPath(namespace: string, agent: string, run: string, ports: Pick<LoopPorts, "layout">): string {
  return `${ports.layout.state}/sandboxes/${namespace}/${runPrefix(agent)}${run}.json`;
}

function setUpLog(namespace: string, agent: string, ports: Pick<LoopPorts, "layout">): string {
  return `${ports.layout.state}/log/setup-${namespace}-${agent}.log`;
}

function setUpOf(namespace: string, ports: LoopPorts): RigSpec["setup"] {
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  return rig?.spec.setup;
}

/** Reads how far the set-up for a branch is. A run whose controller is gone counts as not done. */
export async function readSetUp(
  of: { readonly namespace: string; readonly agent: string; readonly branch: string },
  ports: LoopPorts,
): Promise<SetUpState> {
  const { namespace, agent, branch } = of;
  const command = setUpOf(namespace, ports)?.command;
  if (command === undefined) return { state: "Done" };
  const record = await readRecord(namespace, agent, ports);
  if (record === undefined || record.branch !== branch || record.command !== command)
    return { state: "Needed", again: false };
  const run = await readRun(namespace, agent, record.run, ports);
  if (run.state === "Done") return { state: "Done" };
  if (run.state === "Running")
    return (await isOurs(record.controller, ports))
      ? { state: "Running", log: setUpLog(namespace, agent, ports) }
      : { state: "Needed", again: false };
  const now = ports.clock.now();
  const endedMs = run.endedMs ?? 0;
  const retryMs = endedMs + Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** record.failures);
  // An end ahead of the clock was written before the clock was set back.
  return now >= retryMs || endedMs > now
    ? { state: "Needed", again: true }
    : { state: "Failed", message: run.message ?? "", retryMs };
}

async function isOurs(controller: ProcessIdentity, ports: LoopPorts): Promise<boolean> {
  const self = await ports.processes.self();
  const { pid, startTime, bootId } = controller;
  return pid === self.pid && startTime === self.startTime && bootId === self.bootId;
}

async function readRecord(namespace: string, agent: string, ports: LoopPorts): Promise<SetUpRecord | undefined> {
  const record = parsed<SetUpRecord>(await ports.files.readText(recordPath(namespace, agent, ports)));
  return record?.version === 1 && record.controller !== undefined ? record : undefined;
}

/** Nothing written yet: the run has just begun. */
async function readRun(namespace: string, agent: string, run: string, ports: LoopPorts): Promise<RunRecord> {
  return parsed<RunRecord>(await ports.files.readText(runPath(namespace, agent, run, ports))) ?? { state: "Running" };
}

/** A record that cannot be read is as good as none: the set-up is done once more. */
function parsed<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T);
  } catch {
    return undefined;
  }
}

/**
 * Begins the rig's set-up command in a new sandbox and returns: what it takes may be minutes, and other agents wait for
 * no one. Its output goes to a log, its end to the record. Whatever a killed controller left running is ended first.
 */
export async function startSetUp(of: SetUpPlace, cwd: string, branch: string, ports: LoopPorts): Promise<void> {
  const { namespace, agent, about } = of;
  const setup = setUpOf(namespace, ports);
  if (setup?.command === undefined || (await readSetUp({ namespace, agent, branch }, ports)).state === "Done") return;
  const former = await readRecord(namespace, agent, ports);
  const again = former?.branch === branch && former.command === setup.command;
  const failed = again && (await readRun(namespace, agent, former.run, ports)).state === "Failed";
  await endRuns(namespace, agent, ports);
  const record: SetUpRecord = {
    version: 1,
    run: ports.random.base36(10),
    branch,
    command: setup.command,
    controller: await ports.processes.self(),
    failures: failed ? former.failures + 1 : 0,
  };
  const log = setUpLog(namespace, agent, ports);
  await ports.files.makeDirectory(log.slice(0, log.lastIndexOf("/")));
  await ports.files.remove(log);
  const env = await setUpEnvironment(namespace, ports);
  const path = recordPath(namespace, agent, ports);
  await ports.files.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  await ports.files.writeAtomic(path, `${JSON.stringify(record)}\n`);
  ports.events.record(about, { type: "Normal", reason: "SetUpStarted", message: `${setup.command}; output in ${log}` });
  const write = (run: RunRecord): Promise<void> =>
    ports.files.writeAtomic(runPath(namespace, agent, record.run, ports), `${JSON.stringify(run)}\n`);
  // Its sandbox may have gone meanwhile: then there is nothing to set up, and nobody to tell.
  const wanted = async (): Promise<boolean> => (await readRecord(namespace, agent, ports))?.run === record.run;
  const end = async (problem: string | undefined): Promise<void> => {
    if (!(await wanted())) return;
    const message = `set-up (spec.setup.command of Rig ${namespace}) ${problem ?? "is done"}; see ${log}`;
    ports.events.record(
      about,
      problem === undefined
        ? { type: "Normal", reason: "SetUpDone", message }
        : { type: "Warning", reason: "SetUpFailed", message },
    );
    await write({ state: problem === undefined ? "Done" : "Failed", message, endedMs: ports.clock.now() });
  };
  void ports.processes
    .run("/bin/sh", ["-c", setup.command], {
      cwd,
      env,
      timeoutMs: durationMs(setup.timeout),
      logPath: log,
      started: async (process) => {
        if (!(await wanted())) throw new TownError("SetUpCalledOff", `the sandbox of ${agent} is gone`);
        await write({ state: "Running", process });
      },
    })
    .then((result) => problemOf(result, setup.timeout), messageOf)
    .then(end)
    .catch((error: unknown) => ports.log.warn({ err: error, agent, namespace }, "cannot record the end of a set-up"));
}

function problemOf(result: RunResult, timeout: string): string | undefined {
  if (result.exitCode === 0) return undefined;
  return result.timedOut
    ? `did not end within ${timeout}`
    : `ended with ${result.exitCode ?? result.signal ?? "no exit code"}`;
}

/** Records that the sandbox of a branch came set up. */
export async function noteSetUp(
  of: { readonly namespace: string; readonly agent: string; readonly branch: string },
  ports: LoopPorts,
): Promise<void> {
  const { namespace, agent, branch } = of;
  const command = setUpOf(namespace, ports)?.command;
  if (command === undefined) return;
  const run = ports.random.base36(10);
  const record: SetUpRecord = {
    version: 1,
    run,
    branch,
    command,
    controller: await ports.processes.self(),
    failures: 0,
  };
  const done: RunRecord = { state: "Done", endedMs: ports.clock.now() };
  await endRuns(namespace, agent, ports);
  // The run first: a record without one is a set-up that has just begun.
  await ports.files.writeAtomic(runPath(namespace, agent, run, ports), `${JSON.stringify(done)}\n`);
  await ports.files.writeAtomic(recordPath(namespace, agent, ports), `${JSON.stringify(record)}\n`);
}

/** Ends a set-up that still runs and forgets it: its sandbox goes. */
export async function endSetUp(namespace: string, agent: string, ports: LoopPorts): Promise<void> {
  // Without the record a run that ends now has nothing to say.
  await ports.files.remove(recordPath(namespace, agent, ports));
  await endRuns(namespace, agent, ports);
}

/** Ends every run that was recorded, whoever began it, and removes what it wrote. */
async function endRuns(namespace: string, agent: string, ports: LoopPorts): Promise<void> {
  const directory = `${ports.layout.state}/sandboxes/${namespace}`;
  for (const name of await ports.files.list(directory)) {
    if (!name.startsWith(runPrefix(agent))) continue;
    const run = parsed<RunRecord>(await ports.files.readText(`${directory}/${name}`));
    if (run?.state === "Running" && run.process !== undefined) await ports.processes.terminate(run.process, 2_000);
    await ports.files.remove(`${directory}/${name}`);
  }
}

/** The variables that the town and the rig give to agents; a home of its own, which all set-ups share for their caches. */
async function setUpEnvironment(namespace: string, ports: LoopPorts): Promise<Record<string, string>> {
  const town = ports.objects.get({ kind: "Town", name: "hq" }) as TownObject<TownSpec> | undefined;
  const rig = ports.objects.get({ kind: "Rig", name: namespace }) as TownObject<RigSpec> | undefined;
  const home = `${ports.layout.state}/setup-home`;
  await ports.files.makeDirectory(home);
  return {
    PATH: ports.sessionPath,
    HOME: home,
    LANG: "C.UTF-8",
    CI: "true",
    ...(await resolveEnvironment([town?.spec.env, rig?.spec.env], ports)),
  };
}
