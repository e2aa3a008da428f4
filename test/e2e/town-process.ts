import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { townHash } from "../../src/daemon/layout.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { TestRunner } from "vitest";
import { townReport } from "./town-report.ts";

const cli = fileURLToPath(new URL("../../dist/bin/town.cjs", import.meta.url));

/** Nothing that is asked of an idle machine takes half of it; a loaded one with slow cores may take many times as long. */
const WAIT_MS = 150_000;
/** Against a command that hangs: each has limits of its own, the longest of 2 minutes. */
const COMMAND_MS = 180_000;

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An item of the convoy that `declareWork` makes. */
export interface WorkItem {
  readonly name: string;
  /** Default `api`. */
  readonly rig?: string;
  /** Default `Do NAME`. */
  readonly title?: string;
  /** What a shell agent runs for it. */
  readonly script?: string;
  /** Names of other items. */
  readonly dependsOn?: readonly string[];
}

/** A town on this machine, made with the built program, as a person would. */
export class TownProcess {
  readonly home: string;
  readonly directory: string;
  readonly env: Record<string, string>;
  #isReported = false;

  constructor(extra: Readonly<Record<string, string>> = {}, below = tmpdir()) {
    this.home = realpathSync(mkdtempSync(join(below, "town-e2e-")));
    this.directory = join(this.home, "town");
    if (!existsSync(cli)) throw new Error("dist/ is not built: run `npm run build` first");
    this.env = {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: this.home,
      XDG_RUNTIME_DIR: "",
      LANG: "C.UTF-8",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: "Pat",
      GIT_AUTHOR_EMAIL: "pat@example.org",
      GIT_COMMITTER_NAME: "Pat",
      GIT_COMMITTER_EMAIL: "pat@example.org",
      ...extra,
    };
  }

  run(...args: string[]): Answer {
    const { status, stdout, stderr, error } = spawnSync(process.execPath, [cli, "-C", this.directory, ...args], {
      encoding: "utf8",
      env: this.env,
      timeout: COMMAND_MS,
    });
    return { status, stdout, stderr: error === undefined ? stderr : `${stderr}${error.message}\n` };
  }

  /** A project's repository in the home, with one commit of these files; answers with its path. */
  makeProject(files: Readonly<Record<string, string>> = { "README.md": "project\n" }): string {
    const project = join(this.home, "project");
    spawnSync("git", ["init", "--quiet", "--initial-branch=main", project], { env: this.env });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), text);
    }
    this.git(project, "add", "--all");
    this.git(project, "commit", "--quiet", "--message", "begin");
    return project;
  }

  /** As `run`, while this process goes on with what else it serves. */
  async runBeside(...args: string[]): Promise<Answer> {
    const child = spawn(process.execPath, [cli, "-C", this.directory, ...args], { env: this.env });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { status, stdout, stderr };
  }

  /** A town whose agents run on the shell provider, whatever is installed here. */
  init(...args: string[]): Answer {
    return this.initIn(this.home, this.directory, "--provider", "shell", ...args);
  }

  /** `init` without the convoy that a newcomer finds: nothing is done but what a test asks for. Throws where it fails. */
  initWithoutWork(...args: string[]): void {
    const made = this.init(...args);
    if (made.status !== 0) throw new Error(`town init failed: ${made.stderr}`);
    this.#remove("hq/convoys/first.yaml", "no convoy yet");
  }

  /** That with a project of these files as its rig `api`; answers with the project's path. `gate`: default `true`. */
  initWithRig(options: { readonly gate?: string; readonly files?: Readonly<Record<string, string>> } = {}): string {
    const project = this.makeProject(options.files);
    this.initWithoutWork("--rig", project, "--name", "api", "--gate", options.gate ?? "true");
    return project;
  }

  /** That without the pools of the rig: its agents are those that a test declares. */
  initWithNobody(options: { readonly gate?: string } = {}): string {
    const project = this.initWithRig(options);
    this.#remove("api/agentpools", "nobody yet");
    return project;
  }

  #remove(path: string, message: string): void {
    this.git(this.directory, "rm", "--quiet", "-r", join("manifests", path));
    this.git(this.directory, "commit", "--quiet", "--message", message);
  }

  /** `town init` as typed in a directory. */
  initIn(cwd: string, ...args: string[]): Answer {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "init", ...args], {
      cwd,
      encoding: "utf8",
      env: this.env,
    });
    return { status, stdout, stderr };
  }

  /** git as a person uses it: typed again when another git is just at work there. */
  git(directory: string, ...args: string[]): string {
    for (let attempt = 1; ; attempt += 1) {
      const { status, stdout, stderr, error } = spawnSync("git", ["-C", directory, ...args], {
        encoding: "utf8",
        env: this.env,
        maxBuffer: 64 * 1024 * 1024,
      });
      if (status === 0) return stdout.trim();
      if (attempt === 20 || !stderr.includes("index.lock': File exists"))
        throw error ?? new Error(`git -C ${directory} ${args.join(" ")} failed: ${stderr}`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }

  /** Writes a manifest and commits it. */
  commit(path: string, text: string): void {
    const full = join(this.directory, "manifests", path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
    this.git(this.directory, "add", "--all");
    this.git(this.directory, "commit", "--quiet", "--message", `change ${path}`);
  }

  /** Commits an object where `town init` would put it. `place`: NAME or NAMESPACE/NAME; `spec`: YAML in braces. */
  declare(kind: string, place: string, spec: string): void {
    const [name = "", namespace] = place.split("/").toReversed();
    const path = `${kind.toLowerCase()}s/${name}.yaml`;
    const metadata = namespace === undefined ? `name: ${name}` : `name: ${name}, namespace: ${namespace}`;
    this.commit(
      namespace === undefined ? path : `${namespace}/${path}`,
      `apiVersion: town.dev/v1alpha1\nkind: ${kind}\nmetadata: { ${metadata} }\nspec: ${spec}\n`,
    );
  }

  /** Commits role `worker`: agents for one bead each, kept at it by these clocks, fields of `propulsion`. */
  declareWorker(propulsion: string, permissions = "WorkHook"): void {
    this.declare(
      "Role",
      "worker",
      `{ lifecycle: Ephemeral, prompt: Work., permissions: [${permissions}], propulsion: { ${propulsion} } }`,
    );
  }

  /** Commits convoy `hq/work` of these items. */
  declareWork(items: readonly WorkItem[]): void {
    const entries = items.map(({ name, rig = "api", title = `Do ${name}`, script, ...more }) => ({
      name,
      rig,
      title,
      ...more,
      ...(script === undefined ? {} : { description: `\`\`\`sh\n${script}\n\`\`\`\n` }),
    }));
    this.declare("Convoy", "hq/work", `{ owner: pat@example.org, items: ${JSON.stringify(entries)} }`);
  }

  isWorkClosed(): boolean {
    const conditions = this.object("convoy", "hq", "work")?.status?.conditions;
    return conditions?.some(({ type, status }) => type === "Closed" && status === "True") ?? false;
  }

  edit(path: string, from: string, to: string): void {
    const text = readFileSync(join(this.directory, "manifests", path), "utf8");
    if (!text.includes(from)) throw new Error(`${path} does not have: ${from}`);
    this.commit(path, text.replace(from, to));
  }

  json(...args: string[]): Record<string, unknown> | undefined {
    const { status, stdout } = this.run(...args, "-o", "json");
    return status === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined;
  }

  /** What a list has. Throws with what was said instead. */
  items<T>(...args: string[]): readonly T[] {
    const { status, stdout, stderr } = this.run(...args, "-o", "json");
    if (status !== 0) throw new Error(`town ${args.join(" ")} ended with ${status}: ${stderr}`);
    return (JSON.parse(stdout) as { items: readonly T[] }).items;
  }

  /** Polls until it holds; fails with how the town was then. */
  async until<T>(what: string, look: () => T | undefined | false, timeoutMs = WAIT_MS): Promise<T> {
    const began = Date.now();
    for (;;) {
      const seen = look();
      if (seen !== undefined && seen !== false) return seen;
      const waited = Date.now() - began;
      if (waited > timeoutMs) {
        this.#isReported = true;
        throw new Error(`not within ${timeoutMs} ms: ${what}\n${townReport(this)}`);
      }
      // Most looks start a command, which takes from the town what it is waited for.
      await sleep(Math.min(Math.max(100, waited / 10), 2_000));
    }
  }

  /** Ready condition and status fields of an object. */
  object(
    type: string,
    namespace: string | undefined,
    name: string,
  ):
    | {
        spec: Record<string, unknown>;
        status?: Record<string, unknown> & {
          conditions?: { type: string; status: string; reason: string; message: string }[];
        };
      }
    | undefined {
    const found = this.json("get", `${type}/${name}`, ...(namespace === undefined ? [] : ["-n", namespace]));
    return found as never;
  }

  get daemonPid(): number | undefined {
    const path = join(this.directory, ".git", "town", "endpoint.json");
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as { pid: number }).pid : undefined;
  }

  /** Name of the tmux socket of this town. */
  get tmuxLabel(): string {
    return `town-${townHash(join(this.directory, ".git"))}`;
  }

  /** Where the test of this town failed, tells how it is now, once. */
  tellFailure(): void {
    const { state } = TestRunner.getCurrentTest()?.result ?? {};
    if (state !== "fail" || this.#isReported) return;
    this.#isReported = true;
    process.stderr.write(`\n${townReport(this)}\n`);
  }

  /** Ends everything this town started and removes it. */
  end(): void {
    this.tellFailure();
    this.run("down", "--sessions");
    spawnSync("tmux", ["-L", this.tmuxLabel, "kill-server"], { env: this.env });
    rmSync(this.home, { recursive: true, force: true });
  }
}

export function hasTmux(): boolean {
  return spawnSync("tmux", ["-V"]).status === 0;
}
