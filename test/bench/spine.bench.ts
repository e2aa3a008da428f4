import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { hasTmux, TownProcess } from "../e2e/town-process.ts";

// How long from a commit to the session it asks for, and from a killed session to its replacement, beside a bare
// `tmux new-session` measured in the same run. Medians of ROUNDS, interleaved.
const ROUNDS = 10;

if (!hasTmux()) {
  process.stdout.write("spine bench: skipped, tmux is not installed\n");
  process.exit(0);
}

const town = new TownProcess();
const floorLabel = `${town.tmuxLabel}-floor`;
const tmux = (label: string, ...args: string[]) =>
  spawnSync("tmux", ["-L", label, ...args], { encoding: "utf8", env: town.env });
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function crewPanes(): readonly { name: string; pid: number }[] {
  const { stdout } = tmux(town.tmuxLabel, "list-panes", "-a", "-F", "#{session_name} #{pane_pid} #{pane_dead}");
  return stdout.split("\n").flatMap((line) => {
    const [name, pid, dead] = line.split(" ");
    return name?.startsWith("sample-crew-") === true && dead === "0" ? [{ name, pid: Number(pid) }] : [];
  });
}

async function until(look: () => boolean): Promise<number> {
  const started = performance.now();
  while (!look()) {
    if (performance.now() - started > 30_000) throw new Error("not within 30 s");
    await sleep(2);
  }
  return performance.now() - started;
}

try {
  town.initWithoutWork();
  if (town.run("up", "-d").status !== 0) throw new Error("the town did not come up");
  await until(() => crewPanes().length === 1);
  tmux(floorLabel, "-f", "/dev/null", "new-session", "-d", "-s", "keep", "cat");
  const floor: number[] = [];
  const commitToRunning: number[] = [];
  const commitToFive: number[] = [];
  const killToReplaced: number[] = [];
  const sessionKilled: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    let started = performance.now();
    tmux(floorLabel, "new-session", "-d", "-s", `floor-${round}`, "cat");
    floor.push(performance.now() - started);

    town.edit("sample/agentpools/crew.yaml", "replicas: 1", "replicas: 2");
    commitToRunning.push(await until(() => crewPanes().length === 2));
    town.edit("sample/agentpools/crew.yaml", "replicas: 2", "replicas: 7");
    commitToFive.push(await until(() => crewPanes().length === 7));
    town.edit("sample/agentpools/crew.yaml", "replicas: 7", "replicas: 2");
    await until(() => crewPanes().length === 2);

    const victim = crewPanes()[0];
    if (victim === undefined) throw new Error("no session to kill");
    started = performance.now();
    process.kill(victim.pid, "SIGKILL");
    await until(() => crewPanes().some((pane) => pane.name === victim.name && pane.pid !== victim.pid));
    killToReplaced.push(performance.now() - started);

    const former = crewPanes().find((pane) => pane.name === victim.name);
    started = performance.now();
    tmux(town.tmuxLabel, "kill-session", "-t", `=${victim.name}`);
    await until(() => crewPanes().some((pane) => pane.name === victim.name && pane.pid !== former?.pid));
    sessionKilled.push(performance.now() - started);

    town.edit("sample/agentpools/crew.yaml", "replicas: 2", "replicas: 1");
    await until(() => crewPanes().length === 1);
  }
  const base = median(floor);
  const row = (what: string, values: readonly number[]): string =>
    `${what.padEnd(46)} ${median(values).toFixed(1).padStart(8)} ms ${(median(values) / base).toFixed(1).padStart(7)} x   worst ${Math.max(...values).toFixed(0)} ms`;
  process.stdout.write(
    [
      `spine, medians of ${ROUNDS}, ratio to a bare \`tmux new-session -d\``,
      row("tmux new-session -d (the floor)", floor),
      row("git commit of replicas + 1 → session runs", commitToRunning),
      row("git commit of replicas + 5 → the last one runs", commitToFive),
      row("kill -9 of a program → its replacement runs", killToReplaced),
      row("tmux kill-session → its replacement runs", sessionKilled),
      "",
    ].join("\n"),
  );
} finally {
  tmux(floorLabel, "kill-server");
  town.end();
}
