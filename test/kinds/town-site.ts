import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { NodeGit } from "../../src/adapters/git/node-git.ts";
import { createNodeFiles } from "../../src/adapters/node-files.ts";
import { createNodeProcesses } from "../../src/adapters/node-processes.ts";
import { nodeRandom } from "../../src/adapters/node-random.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { townLayout } from "../../src/daemon/layout.ts";
import { reconcile } from "../../src/engine/reconcile.ts";
import type { TownGraphs } from "../../src/graph/graph-host.ts";
import { CONTROLLERS, KINDS } from "../../src/kinds/index.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Files } from "../../src/ports/files.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { LoopPorts, SessionSight } from "../../src/ports/loop-ports.ts";
import { noMetrics } from "../../src/ports/metrics.ts";
import type { Condition } from "../../src/resource/condition.ts";
import { kindRegistry } from "../../src/resource/kind-registry.ts";
import type { ObjectKey, TownObject } from "../../src/resource/object-meta.ts";
import { MemorySessions } from "../../src/simulation/memory-sessions.ts";
import { createStore, type Store } from "../../src/store/store.ts";
import { unshownGraphs } from "../graph/stores.ts";

/** A town without a daemon: real git, disk and processes, sessions in memory; loops are run one at a time by hand. */
export class TownSite {
  readonly root: string;
  readonly town: string;
  readonly environment: Record<string, string>;
  readonly files = createNodeFiles();
  readonly processes = createNodeProcesses();
  readonly git: NodeGit;
  /** What the loops see of a session by its runtime name; others are absent. */
  readonly sights = new Map<string, SessionSight>();
  /** Session tokens that are not void. */
  readonly tokens: { readonly namespace: string; readonly agent: string; readonly generation: number }[] = [];
  /** Free bytes that the disk claims to have; undefined: as many as it has. */
  freeBytes: number | undefined;
  #aheadMs = 0;
  #ports: LoopPorts | undefined;
  #store: Store | undefined;
  #graphs: TownGraphs | undefined;

  constructor() {
    this.root = realpathSync(mkdtempSync(join(tmpdir(), "town-site-")));
    this.town = join(this.root, "town");
    this.environment = {
      PATH: process.env["PATH"] ?? "",
      HOME: join(this.root, "home"),
      GIT_CONFIG_GLOBAL: join(this.root, "gitconfig"),
      GIT_CONFIG_NOSYSTEM: "1",
    };
    mkdirSync(this.environment["HOME"] ?? "");
    writeFileSync(
      join(this.root, "gitconfig"),
      '[protocol "file"]\n\tallow = always\n[init]\n\tdefaultBranch = main\n',
    );
    this.git = new NodeGit({ environment: this.environment });
  }

  static async make(): Promise<TownSite> {
    const site = new TownSite();
    mkdirSync(site.town);
    site.run(site.town, "init", "--quiet");
    site.commit(site.town, { "manifests/README.md": "town\n", ".gitignore": "/rigs/\n" });
    await site.start();
    return site;
  }

  /** A town with a rig `api`, whose project has just been made. */
  static async withRig(): Promise<TownSite> {
    const site = await TownSite.make();
    await site.declare("Rig", undefined, "api", { path: site.repository("project") });
    await site.settle("rigs", { kind: "Rig", name: "api" });
    return site;
  }

  /** Starts everything that a controller holds, as after a restart. */
  async start(): Promise<void> {
    await this.stop();
    const layout = townLayout(this.town, join(this.town, ".git"), undefined);
    mkdirSync(layout.state, { recursive: true });
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + this.#aheadMs };
    const store = await createStore({ registry: kindRegistry(KINDS), clock, random: nodeRandom, log: silentLog });
    const { files, processes, git } = this;
    const graphs = unshownGraphs({ files, clock, random: nodeRandom, processes });
    const repository = await git.open(this.town);
    if (repository === undefined) throw new Error("the town has no repository");
    await graphs.open("hq", repository, { prefix: "hq", branch: "town/work" });
    this.#store = store;
    this.#graphs = graphs;
    this.#ports = {
      clock,
      random: nodeRandom,
      files: withFreeBytes(files, () => this.freeBytes),
      git,
      processes,
      load: { busyBelow: () => Promise.resolve(new Set()) },
      sessions: new MemorySessions({ clock: systemClock, resolve: () => () => Promise.resolve(0) }).connect(),
      graphs: graphs.directory,
      objects: store,
      events: store,
      log: silentLog,
      metrics: noMetrics,
      layout,
      formulas: { get: () => undefined, names: () => [] },
      tokens: {
        issue: () => Promise.resolve(),
        revoke: (namespace, agent) => {
          const index = this.tokens.findIndex((token) => token.namespace === namespace && token.agent === agent);
          if (index >= 0) this.tokens.splice(index, 1);
          return Promise.resolve();
        },
        held: () => Promise.resolve([...this.tokens]),
        heardMs: () => systemClock.monotonicMs(),
      },
      view: {
        ready: true,
        frozen: false,
        sight: (name) => this.sights.get(name) ?? { state: "Absent" },
        running: () => [...this.sights.values()].filter((sight) => sight.state === "Running").length,
        note: () => Promise.resolve(),
      },
      graphHost: graphs,
      collectOwned: () => store.collect(),
      shellAgent: ["shell-agent"],
      turnRunner: ["turn-runner"],
      gitHooks: "/git-hooks",
      sessionPath: this.environment["PATH"] ?? "",
    };
    await this.declare("Town", undefined, "hq", {});
  }

  get ports(): LoopPorts {
    if (this.#ports === undefined) throw new Error("the site is not started");
    return this.#ports;
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error("the site is not started");
    return this.#store;
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  run(cwd: string, ...args: readonly string[]): string {
    const identity = ["-c", "user.name=Pat", "-c", "user.email=pat@example.org"];
    return execFileSync("git", [...identity, ...args], {
      cwd,
      env: this.environment,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** A repository with one commit on main. */
  repository(name: string, ...initArgs: readonly string[]): string {
    const path = this.path(name);
    mkdirSync(path, { recursive: true });
    this.run(path, "init", "--quiet", "--initial-branch=main", ...initArgs);
    this.commit(path, { "README.md": `${name}\n` });
    return path;
  }

  commit(repository: string, files: Readonly<Record<string, string>>): string {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(repository, path)), { recursive: true });
      writeFileSync(join(repository, path), text);
    }
    this.run(repository, "add", "--all");
    this.run(repository, "commit", "--quiet", "--message", "change");
    return this.run(repository, "rev-parse", "HEAD");
  }

  /** Time goes by for the loops. */
  later(ms: number): void {
    this.#aheadMs += ms;
  }

  async declare(kind: string, namespace: string | undefined, name: string, spec: object): Promise<TownObject> {
    const definition = kindRegistry(KINDS).get(kind);
    const full = definition?.spec.parse(spec) as Readonly<Record<string, unknown>>;
    return this.store.declare(
      { kind, name, ...(namespace === undefined ? {} : { namespace }) },
      { spec: full, origin: { source: "hq", path: "test.yaml", line: 1, revision: "test" } },
    );
  }

  /** Runs a loop on an object until it has nothing more to do at once; returns the actions. */
  async settle(loop: string, key: ObjectKey, rounds = 8): Promise<readonly string[]> {
    const done: string[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const before = done.length;
      await this.round(loop, key, done);
      if (done.length === before) return done;
    }
    return done;
  }

  /** One run of a loop on an object. */
  async round(loop: string, key: ObjectKey, done: string[] = []): Promise<readonly string[]> {
    const controller = CONTROLLERS.find((one) => one.name === loop);
    if (controller === undefined) throw new Error(`there is no loop ${loop}`);
    await reconcile({
      controller,
      ports: this.ports,
      key,
      summary: loop !== "collection",
      signal: new AbortController().signal,
      calledOff: () => false,
      quietConflict: false,
      acted: (action) => done.push(action),
      writing: () => () => undefined,
    });
    return done;
  }

  condition(key: ObjectKey, type = "Ready"): Condition | undefined {
    const status = this.store.get(key)?.status as { readonly conditions?: readonly Condition[] } | undefined;
    return status?.conditions?.find((condition) => condition.type === type);
  }

  events(name: string): readonly string[] {
    return this.store
      .list("Event")
      .map((event) => event as unknown as { involvedObject: { name: string }; reason: string })
      .filter((event) => event.involvedObject.name === name)
      .map((event) => event.reason);
  }

  async stop(): Promise<void> {
    await this.#graphs?.closeAll();
    await this.#store?.close();
    this.#graphs = undefined;
  }

  async end(): Promise<void> {
    await this.stop();
    await this.git.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The disk, as full as `freeBytes` says. */
function withFreeBytes(files: Files, freeBytes: () => number | undefined): Files {
  return new Proxy(files, {
    get: (target, name) => {
      const method = Reflect.get(target, name) as (...args: readonly unknown[]) => unknown;
      const stated = name === "freeBytes" ? freeBytes() : undefined;
      return stated === undefined ? method.bind(target) : () => Promise.resolve(stated);
    },
  });
}
