import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { IDLE_PROGRAM } from "../chaos/chaos-town.ts";
import { sessionsOf } from "../chaos/session-witness.ts";
import { hasTmux, TownProcess } from "../e2e/town-process.ts";

// What a town costs while nothing happens: SESSIONS idle programs, watched for SECONDS. CPU is counted by the kernel
// per process; a program that was started and ended shows as page faults of ended children, whatever else the machine
// does at that time. The floor is a node that does nothing.
const SESSIONS = Number(process.env["SESSIONS"] ?? 200);
const SECONDS = Number(process.env["SECONDS_IDLE"] ?? 60);
const TICKS_PER_SECOND = 100;

interface Cost {
  readonly cpuTicks: number;
  readonly faultsOfEndedChildren: number;
  readonly residentMiB: number;
}

function costOf(pid: number): Cost {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Fields of proc(5) from the third on.
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return {
    cpuTicks: (fields[11] ?? 0) + (fields[12] ?? 0) + (fields[13] ?? 0) + (fields[14] ?? 0),
    faultsOfEndedChildren: (fields[8] ?? 0) + (fields[10] ?? 0),
    residentMiB: Number(resident ?? 0) / 1024,
  };
}

function row(what: string, from: Cost, to: Cost, floorMiB: number): string {
  const share = ((to.cpuTicks - from.cpuTicks) / TICKS_PER_SECOND / SECONDS) * 100;
  const forked = to.faultsOfEndedChildren === from.faultsOfEndedChildren ? "no child" : "CHILDREN";
  return `${what.padEnd(34)} ${share.toFixed(2).padStart(6)} % of a core   ${forked.padEnd(8)} ended   ${to.residentMiB.toFixed(0).padStart(4)} MiB ${(to.residentMiB / floorMiB).toFixed(1).padStart(6)} x`;
}

async function measure(runtime: "Tmux" | "Process"): Promise<void> {
  const town = new TownProcess();
  const floor = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "ignore" });
  try {
    town.initWithoutWork();
    town.edit("towns/hq.yaml", "spec:\n", `spec:\n  runtime: ${runtime}\n`);
    town.edit("towns/hq.yaml", "sessions: 30", `sessions: ${SESSIONS}`);
    town.declare("Provider", "idle", IDLE_PROGRAM);
    town.edit("sample/agentpools/crew.yaml", "provider: shell", "provider: idle");
    town.edit("sample/agentpools/crew.yaml", "replicas: 1", `replicas: ${SESSIONS}`);
    const began = performance.now();
    const up = town.run("up", "-d");
    if (up.status !== 0) throw new Error(up.stderr);
    await town.until(
      "all sessions run",
      () => (town.object("town", undefined, "hq")?.status?.["sessions"] as number | undefined) === SESSIONS,
      600_000,
    );
    const startSeconds = (performance.now() - began) / 1000;
    // Commits of the work graph, first resyncs and the like are done by then.
    await sleep(20_000);
    const controller = town.daemonPid ?? 0;
    const tmux = runtime === "Tmux" ? tmuxPid(town) : undefined;
    const before = { controller: costOf(controller), tmux: tmux === undefined ? undefined : costOf(tmux) };
    await sleep(SECONDS * 1000);
    const floorMiB = costOf(floor.pid ?? 0).residentMiB;
    process.stdout.write(
      `${SESSIONS} idle sessions (${runtime}), ${SECONDS} s; all started within ${startSeconds.toFixed(0)} s; ratio to a node that does nothing\n`,
    );
    process.stdout.write(`${row("controller", before.controller, costOf(controller), floorMiB)}\n`);
    if (tmux !== undefined && before.tmux !== undefined)
      process.stdout.write(`${row("tmux server", before.tmux, costOf(tmux), floorMiB)}\n`);
    if (runtime === "Tmux" && sessionsOf(town.tmuxLabel).length !== SESSIONS) throw new Error("not all sessions live");
  } finally {
    floor.kill();
    town.end();
  }
}

function tmuxPid(town: TownProcess): number {
  const record = JSON.parse(readFileSync(`${town.directory}/.git/town/sessions/server.json`, "utf8")) as {
    readonly server: { readonly pid: number };
  };
  return record.server.pid;
}

for (const runtime of ["Tmux", "Process"] as const) {
  if (process.platform !== "linux") process.stdout.write("idle bench: skipped, it reads /proc\n");
  else if (runtime === "Tmux" && !hasTmux()) process.stdout.write("idle bench: tmux is not installed\n");
  else await measure(runtime);
}
