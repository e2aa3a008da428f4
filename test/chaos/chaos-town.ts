import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TownProcess, type WorkItem } from "../e2e/town-process.ts";

const controllerProgram = fileURLToPath(new URL("../../dist/main.js", import.meta.url));
const command = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));

export interface ChaosTownOptions {
  readonly agents: number;
  /** Persistent agents: sessions that nobody but the script may end. */
  readonly crew: number;
  readonly beads: number;
  readonly runtime: "Tmux" | "Process";
  /** What the crew runs: the shell agent, or a program that does nothing at all. Default `shell`. */
  readonly provider?: "shell" | "idle";
  /** Directory that gets everything; default that for temporary files. */
  readonly home?: string;
  /** `spec.capacity.diskFloor`. */
  readonly diskFloor?: string;
  /** For node itself, before the controller's program. Its children do not inherit them. */
  readonly nodeArguments?: readonly string[];
}

/** A town under load whose controller is a child of this process, so that it can be killed and told apart. */
export class ChaosTown {
  readonly process: TownProcess;
  readonly project: string;
  readonly options: ChaosTownOptions;
  readonly logPath: string;
  #controller: ChildProcess | undefined;
  #starts = 0;

  constructor(options: ChaosTownOptions) {
    this.options = options;
    this.process = new TownProcess({}, options.home);
    this.project = join(this.process.home, "project");
    this.logPath = join(this.process.home, "controller.log");
    this.#make();
  }

  /** First part of the mark that every process of a session carries. */
  get sessionLabel(): string {
    if (this.options.runtime === "Tmux") return this.process.tmuxLabel;
    const directory = join(this.process.directory, ".git", "town", "sessions");
    return `process-${createHash("sha256").update(directory).digest("hex").slice(0, 12)}`;
  }

  /** What happened, for people, beside the controller's own log. */
  note(text: string): void {
    appendFileSync(join(this.process.home, "chaos.log"), `${new Date().toISOString()} ${text}\n`);
  }

  get controllerPid(): number | undefined {
    const child = this.#controller;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  get controllerStarts(): number {
    return this.#starts;
  }

  startController(): void {
    if (this.controllerPid !== undefined) return;
    const log = openSync(this.logPath, "a");
    this.#starts += 1;
    const { nodeArguments = [] } = this.options;
    this.#controller = spawn(
      process.execPath,
      [...nodeArguments, controllerProgram, "--town", this.process.directory],
      {
        cwd: this.process.directory,
        env: this.process.env,
        stdio: ["ignore", log, log],
      },
    );
  }

  /** kill -9, and waits until it is gone. */
  async killController(): Promise<void> {
    const child = this.#controller;
    if (child === undefined || this.controllerPid === undefined) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await gone;
  }

  tmux(...args: string[]): string {
    return spawnSync("tmux", ["-L", this.process.tmuxLabel, ...args], {
      encoding: "utf8",
      env: this.process.env,
      timeout: 60_000,
    }).stdout;
  }

  /** Beads whose merge is on the target, oldest first; a bead that landed twice is in it twice. */
  landed(): readonly string[] {
    return this.process
      .git(this.project, "log", "--first-parent", "--reverse", "--format=%s", "main")
      .split("\n")
      .flatMap((subject) => /^Merge (\S+):/.exec(subject)?.[1] ?? []);
  }

  /** Ends everything this town started and removes it. */
  async end(): Promise<void> {
    this.process.tellFailure();
    if (this.controllerPid !== undefined) {
      // Not `run`: this process must stay free to reap the controller, for whose end the command waits.
      const down = spawn(process.execPath, [command, "-C", this.process.directory, "down", "--sessions"], {
        env: this.process.env,
        stdio: "ignore",
      });
      await new Promise((resolve) => down.once("exit", resolve));
      await this.killController();
    }
    this.process.end();
  }

  #make(): void {
    const { process: town, options } = this;
    const { agents, crew, beads, runtime, provider = "shell", diskFloor = "2Gi" } = options;
    town.initWithRig({
      files: {
        "work/README.md": "One file a bead.\n",
        // Landing one bead twice, or half of it, fails the gate as well as the last check.
        "check.sh":
          'for file in work/*.txt; do [ -e "$file" ] || continue; [ "$(wc -l <"$file")" -eq 2 ] || { echo "$file"; exit 1; }; done\n',
      },
      gate: "sh check.sh",
    });
    // Written anew: what `town init` chooses depends on the programs that are installed.
    town.declare("AgentPool", "api/polecats", `{ role: polecat, provider: shell, replicas: ${agents} }`);
    town.declare("Provider", "idle", IDLE_PROGRAM);
    town.declare("AgentPool", "api/crew", `{ role: crew, provider: ${provider}, replicas: ${crew} }`);
    const capacity = `{ sessions: ${agents + crew}, diskFloor: ${diskFloor} }`;
    town.declare("Town", "hq", `{ owner: pat@example.org, runtime: ${runtime}, capacity: ${capacity} }`);
    if (beads > 0) town.declareWork(itemsOf(beads));
  }
}

/** A program that does nothing at all. */
export const IDLE_PROGRAM = "{ command: [sh, -c, 'exec sleep 100000'], prompt: { mode: None } }";

/** Beads that take a moment, in several commits' worth of steps; every fourth waits for the one before it. */
function itemsOf(beads: number): readonly WorkItem[] {
  return Array.from({ length: beads }, (_, index) => {
    const name = itemName(index);
    return {
      name,
      title: `Write ${name}`,
      script: `echo "$TOWN_BEAD" > work/${name}.txt\nsleep 0.${index % 5}\necho "${name}" >> work/${name}.txt`,
      ...(index % 4 === 3 ? { dependsOn: [itemName(index - 1)] } : {}),
    };
  });
}

export function itemName(index: number): string {
  return `item-${String(index + 1).padStart(3, "0")}`;
}
