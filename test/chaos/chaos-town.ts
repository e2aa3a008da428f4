import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TownProcess } from "../e2e/town-process.ts";

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
    this.#controller = spawn(process.execPath, [controllerProgram, "--town", this.process.directory], {
      cwd: this.process.directory,
      env: this.process.env,
      stdio: ["ignore", log, log],
    });
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
      timeout: 15_000,
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
    const { process: town, project, options } = this;
    spawnSync("git", ["init", "--quiet", "--initial-branch=main", project], { env: town.env });
    mkdirSync(join(project, "work"));
    writeFileSync(join(project, "work", "README.md"), "One file a bead.\n");
    // Landing one bead twice, or half of it, fails the gate as well as the last check.
    writeFileSync(
      join(project, "check.sh"),
      'for file in work/*.txt; do [ -e "$file" ] || continue; [ "$(wc -l <"$file")" -eq 2 ] || { echo "$file"; exit 1; }; done\n',
    );
    town.git(project, "add", "--all");
    town.git(project, "commit", "--quiet", "--message", "begin");
    const made = town.init("--rig", project, "--name", "api", "--gate", "sh check.sh");
    if (made.status !== 0) throw new Error(`town init failed: ${made.stderr}`);
    town.git(town.directory, "rm", "--quiet", "manifests/hq/convoys/first.yaml");
    // Written anew: what `town init` chooses depends on the programs that are installed.
    town.commit("api/agentpools/polecats.yaml", poolOf("polecats", "polecat", "shell", options.agents));
    town.commit("providers/idle.yaml", IDLE_PROVIDER);
    town.commit("api/agentpools/crew.yaml", poolOf("crew", "crew", options.provider ?? "shell", options.crew));
    town.commit("towns/hq.yaml", townOf(options));
    if (options.beads > 0) town.commit("hq/convoys/work.yaml", convoyOf(options.beads));
  }
}

/** A program that does nothing at all. */
export const IDLE_PROVIDER =
  "apiVersion: town.dev/v1alpha1\nkind: Provider\nmetadata:\n  name: idle\nspec:\n  command: [sh, -c, 'exec sleep 100000']\n  prompt:\n    mode: None\n";

function poolOf(name: string, role: string, provider: string, replicas: number): string {
  return `apiVersion: town.dev/v1alpha1\nkind: AgentPool\nmetadata:\n  name: ${name}\n  namespace: api\nspec:\n  role: ${role}\n  provider: ${provider}\n  replicas: ${replicas}\n`;
}

function townOf({ runtime, agents, crew, diskFloor }: ChaosTownOptions): string {
  return `apiVersion: town.dev/v1alpha1
kind: Town
metadata:
  name: hq
spec:
  owner: pat@example.org
  runtime: ${runtime}
  capacity:
    sessions: ${agents + crew}
    diskFloor: ${diskFloor ?? "2Gi"}
`;
}

/** Beads that take a moment, in several commits' worth of steps; every fourth waits for the one before it. */
function convoyOf(beads: number): string {
  const items = Array.from({ length: beads }, (_, index) => {
    const name = itemName(index);
    const after = index % 4 === 3 ? `\n      dependsOn: [${itemName(index - 1)}]` : "";
    return `    - name: ${name}
      rig: api
      title: Write ${name}${after}
      description: |
        \`\`\`sh
        echo "$TOWN_BEAD" > work/${name}.txt
        sleep 0.${index % 5}
        echo "${name}" >> work/${name}.txt
        \`\`\``;
  });
  return `apiVersion: town.dev/v1alpha1
kind: Convoy
metadata:
  name: work
  namespace: hq
spec:
  owner: pat@example.org
  items:
${items.join("\n")}
`;
}

export function itemName(index: number): string {
  return `item-${String(index + 1).padStart(3, "0")}`;
}
