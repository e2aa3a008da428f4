import { messageOf, TownError } from "../../errors/town-error.ts";
import type { LoopPorts } from "../../ports/loop-ports.ts";
import type { ProcessIdentity, RunResult } from "../../ports/processes.ts";
import { durationMs } from "../../resource/field.ts";
import type { TownObject } from "../../resource/object-meta.ts";
import type { RigSpec } from "../rig/rig.schema.ts";
import type { TownSpec } from "../town/town.schema.ts";
import { resolveEnvironment } from "./agent-environment.ts";
import type { AgentObject } from "./agent.schema.ts";

/** How far the set-up of a sandbox is. */
export type SetUpState =
  /** The rig asks for none, or it was done for this branch. */
  | { readonly state: "Done" }
  | { readonly state: "Needed" }
  | { readonly state: "Running"; readonly log: string }
  | { readonly state: "Failed"; readonly message: string; readonly retryMs: number };

/** What is recorded of a set-up, outside the worktree so that no commit can hold it. */
interface SetUpRecord {
  readonly version: 1;
  /** Which run it is: one that was overtaken records nothing. */
  readonly run: string;
  readonly branch: string;
  readonly command: string;
  readonly state: "Running" | "Done" | "Failed";
  /** The process, once it runs, and the controller that waits for it. */
  readonly process?: ProcessIdentity;
  readonly controller?: ProcessIdentity;
  readonly failures: number;
  readonly message?: string;
  readonly endedMs?: number;
}

const RETRY_BASE_MS = 10_000;
const RETRY_MAX_MS = 300_000;

function setUpMarker(namespace: string, agent: string, ports: Pick<LoopPorts, "layout">): string {
  return `${ports.layout.state}/sandboxes/${namespace}/${agent}.json`;
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
  const command = setUpOf(of.namespace, ports)?.command;
  if (command === undefined) return { state: "Done" };
  const record = await readRecord(of.namespace, of.agent, ports);
  if (record === undefined || record.branch !== of.branch || record.command !== command) return { state: "Needed" };
  if (record.state === "Done") return { state: "Done" };
  if (record.state === "Running")
    return (await isOurs(record, ports))
      ? { state: "Running", log: setUpLog(of.namespace, of.agent, ports) }
      : { state: "Needed" };
  const pause = Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** (record.failures - 1));
  const retryMs = (record.endedMs ?? 0) + pause;
  return ports.clock.now() >= retryMs
    ? { state: "Needed" }
    : { state: "Failed", message: record.message ?? "", retryMs };
}

async function isOurs(record: SetUpRecord, ports: LoopPorts): Promise<boolean> {
  const self = await ports.processes.self();
  const { controller } = record;
  return controller?.pid === self.pid && controller.startTime === self.startTime && controller.bootId === self.bootId;
}

async function readRecord(namespace: string, agent: string, ports: LoopPorts): Promise<SetUpRecord | undefined> {
  try {
    const text = await ports.files.readText(setUpMarker(namespace, agent, ports));
    const record = text === undefined ? undefined : (JSON.parse(text) as SetUpRecord);
    return record?.version === 1 && record.state !== undefined ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Begins the rig's set-up command in a new sandbox and returns: what it takes may be minutes, and other agents wait for
 * no one. Its output goes to a log, its end to the record. Whatever a killed controller left running is ended first.
 */
export async function startSetUp(object: AgentObject, path: string, branch: string, ports: LoopPorts): Promise<void> {
  const namespace = object.metadata.namespace ?? "hq";
  const agent = object.metadata.name;
  const setup = setUpOf(namespace, ports);
  if (setup?.command === undefined) return;
  const former = await readRecord(namespace, agent, ports);
  if (former?.process !== undefined && former.state === "Running")
    await ports.processes.terminate(former.process, 2_000);
  const log = setUpLog(namespace, agent, ports);
  const base = {
    version: 1,
    run: ports.random.base36(10),
    branch,
    command: setup.command,
    controller: await ports.processes.self(),
    failures: former?.branch === branch && former.command === setup.command ? former.failures : 0,
  } as const;
  const write = (record: SetUpRecord): Promise<void> => writeRecord(namespace, agent, record, ports);
  // Its sandbox may go, or another run begin, while this one takes its time.
  const overtaken = async (): Promise<boolean> => (await readRecord(namespace, agent, ports))?.run !== base.run;
  await ports.files.makeDirectory(log.slice(0, log.lastIndexOf("/")));
  await ports.files.remove(log);
  await write({ ...base, state: "Running" });
  const env = await setUpEnvironment(namespace, ports);
  const about = { kind: "Agent", namespace, name: agent };
  ports.events.record(about, { type: "Normal", reason: "SetUpStarted", message: `${setup.command}; output in ${log}` });
  const run = ports.processes.run("/bin/sh", ["-c", setup.command], {
    cwd: path,
    env,
    timeoutMs: durationMs(setup.timeout),
    logPath: log,
    started: async (process) => {
      if (await overtaken()) throw new TownError("SetUpCalledOff", `the sandbox of ${agent} is gone`);
      await write({ ...base, state: "Running", process });
    },
  });
  const end = async (problem: string | undefined): Promise<void> => {
    if (await overtaken()) return;
    const failures = problem === undefined ? 0 : base.failures + 1;
    const message = `set-up (spec.setup.command of Rig ${namespace}) ${problem ?? "is done"}; see ${log}`;
    await write({
      ...base,
      state: problem === undefined ? "Done" : "Failed",
      failures,
      message,
      endedMs: ports.clock.now(),
    });
    ports.events.record(
      about,
      problem === undefined
        ? { type: "Normal", reason: "SetUpDone", message }
        : { type: "Warning", reason: "SetUpFailed", message },
    );
  };
  void run
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

/** Ends a set-up that still runs and forgets it: its sandbox goes. */
export async function endSetUp(namespace: string, agent: string, ports: LoopPorts): Promise<void> {
  const record = await readRecord(namespace, agent, ports);
  // Without a record the run that ends now has nothing to say.
  await ports.files.remove(setUpMarker(namespace, agent, ports));
  if (record?.state === "Running" && record.process !== undefined)
    await ports.processes.terminate(record.process, 2_000);
}

async function writeRecord(namespace: string, agent: string, record: SetUpRecord, ports: LoopPorts): Promise<void> {
  const path = setUpMarker(namespace, agent, ports);
  await ports.files.makeDirectory(path.slice(0, path.lastIndexOf("/")));
  await ports.files.writeAtomic(path, `${JSON.stringify(record)}\n`);
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
